"""JSON Schema of what the API answers with, in few words. What an object may lack is listed, the rest is required."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema with a name of its own in the document; other schemas hold it as it is, and it is told once."""

    name: str
    schema: Mapping[str, Any]


def record(
    about: str, properties: Mapping[str, Any], *, optional: Collection[str] = (), passes: bool = False
) -> dict[str, Any]:
    """An object of `properties`; `passes`: with whatever else a provider says."""
    shown: dict[str, Any] = {
        "type": "object",
        "description": about,
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
    }
    return {**shown, "additionalProperties": True} if passes else shown


def mapping(about: str, values: Any) -> dict[str, Any]:
    """An object whose names are not known before."""
    return {"type": "object", "description": about, "additionalProperties": values}


def listing(items: Any, about: str = "") -> dict[str, Any]:
    """A list."""
    return _told({"type": "array", "items": items}, about)


def text(about: str = "") -> dict[str, Any]:
    """A string."""
    return _told({"type": "string"}, about)


def number(about: str = "") -> dict[str, Any]:
    """A number."""
    return _told({"type": "number"}, about)


def whole(about: str = "") -> dict[str, Any]:
    """An integer."""
    return _told({"type": "integer"}, about)


def flag(about: str = "") -> dict[str, Any]:
    """A boolean."""
    return _told({"type": "boolean"}, about)


def anything(about: str = "") -> dict[str, Any]:
    """Whatever it is."""
    return _told({}, about)


def word(choices: Iterable[str], about: str = "") -> dict[str, Any]:
    """One of `choices`, such as the members of a StrEnum."""
    return _told({"type": "string", "enum": [str(choice) for choice in choices]}, about)


def maybe(schema: Any) -> dict[str, Any]:
    """The same, or null."""
    if isinstance(schema, Mapping) and isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return either(schema, {"type": "null"})


def either(*schemas: Any) -> dict[str, Any]:
    """One of these."""
    return {"anyOf": list(schemas)}


def _told(schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {**schema, "description": about} if about else schema
