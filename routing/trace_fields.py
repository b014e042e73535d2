"""Reads single fields of a trace's line, strictly: each error names its field. Knows no field itself."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


class TraceError(ValueError):
    """A trace, or a line of it, cannot be read; the message says where and what was expected."""


def name(wire: Mapping[str, Any], field: str) -> str:
    """A string that is not empty."""
    value = wire.get(field)
    if not isinstance(value, str) or not value:
        raise TraceError(f"{field}: expected a string")
    return value


def amount(wire: Mapping[str, Any], field: str) -> float:
    """A finite number from 0."""
    value = wire.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TraceError(f"{field}: expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = -1.0
    if not isfinite(number) or number < 0:
        raise TraceError(f"{field}: expected a finite number from 0")
    return number


def count(wire: Mapping[str, Any], field: str) -> int:
    """A whole number from 0."""
    value = wire.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise TraceError(f"{field}: expected a whole number from 0")
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
