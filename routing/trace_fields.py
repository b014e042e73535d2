"""Reads single fields of a trace's line, strictly: each error names its field. Knows no field itself."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


# More tokens, tries or micro-dollars than one job has.
MOST = 10**15


class TraceError(ValueError):
    """A trace, or a line of it, cannot be read; the message says where and what was expected."""


def name(wire: Mapping[str, Any], field: str) -> str:
    """A string that is not empty."""
    value = wire.get(field)
    if not isinstance(value, str) or not value:
        raise TraceError(f"{field}: expected a string")
    return value


def amount(wire: Mapping[str, Any], field: str, high: float = 1e9) -> float:
    """A number from 0 to `high`."""
    value = wire.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise TraceError(f"{field}: expected a number from 0 to {high:.0f}")
    return float(value)


def count(wire: Mapping[str, Any], field: str) -> int:
    """A whole number from 0."""
    value = wire.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise TraceError(f"{field}: expected a whole number from 0 to {MOST}")
    return value


def one_of(wire: Mapping[str, Any], field: str, words: Sequence[E]) -> E:
    """One of an enumeration's words."""
    value = wire.get(field)
    for word in words:
        if word == value:
            return word
    raise TraceError(f"{field}: expected one of {', '.join(words)}")


def objects(wire: Mapping[str, Any], field: str, *, optional: bool = False) -> Sequence[Mapping[str, Any]]:
    """A list of objects; empty where it is `optional` and missing."""
    value = wire.get(field, [] if optional else None)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TraceError(f"{field}: expected a list of objects")
    return value
