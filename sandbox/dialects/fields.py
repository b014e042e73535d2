"""Typed reading of JSON fields. What is wrong is told to the dialect, which words the refusal."""

from collections.abc import Mapping
from typing import Any


class WrongType(Exception):
    """A field has another type than it should have."""

    def __init__(self, path: str, expected: str, value: Any) -> None:
        super().__init__(path)
        self.path = path
        self.expected = expected
        self.got = json_type(value)
        self.value = value


def json_type(value: Any) -> str:
    """The name of a value's JSON type, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a decimal", list: "an array", dict: "an object"}
    return names.get(type(value), "an unknown value")


def _of(kind: type | tuple[type, ...], expected: str, value: Any, path: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise WrongType(path, expected, value)
    return value


def text(value: Any, path: str) -> str:
    """A string."""
    found: str = _of(str, "a string", value, path)
    return found


def array(value: Any, path: str, expected: str = "an array") -> list[Any]:
    """An array."""
    found: list[Any] = _of(list, expected, value, path)
    return found


def mapping(value: Any, path: str) -> dict[str, Any]:
    """An object."""
    found: dict[str, Any] = _of(dict, "an object", value, path)
    return found


def integer(fields: Mapping[str, Any], name: str) -> int | None:
    """An optional integer."""
    value = fields.get(name)
    return None if value is None else _of(int, "an integer", value, name)


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """An optional number."""
    value = fields.get(name)
    return None if value is None else _of((int, float), "a decimal", value, name)


def boolean(fields: Mapping[str, Any], name: str) -> bool:
    """An optional boolean, false where it is missing."""
    value = fields.get(name)
    return False if value is None else bool(_of(bool, "a boolean", value, name))


def texts(value: Any, path: str) -> tuple[str, ...]:
    """An array of strings."""
    items = array(value, path, "an array of strings")
    return tuple(text(item, f"{path}[{number}]") for number, item in enumerate(items))
