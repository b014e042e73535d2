"""A JSON schema as Anthropic's structured outputs accept it. Pure; the given schema is not changed."""

from typing import Any

from workers.providers.reader import items, json_text, mapping, text
from workers.providers.rules import inexpressible

# What its grammar knows (platform.claude.com, Structured outputs: JSON Schema limitations).
_KEPT = frozenset({"type", "enum", "const", "required", "$ref", "title", "default"})
_SCHEMA_MAPS = ("properties", "$defs", "definitions")
_SCHEMA_LISTS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_MAX_DEPTH = 60


def strict_schema(schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """`schema` with every object closed, and each constraint the grammar does not know told in the description.

    The vendor's own SDK does the same. Raises NotExpressible for a schema nested deeper than 60.
    """
    if depth > _MAX_DEPTH:
        raise inexpressible("response_format", f"its schema is nested deeper than {_MAX_DEPTH}")
    strict: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for name, value in schema.items():
        known = _keyword(name, value, depth)
        if known:
            strict.update(known)
        elif name not in ("additionalProperties", "description", "$schema"):
            told[name] = value
    if schema.get("type") == "object" or "properties" in schema:
        strict["additionalProperties"] = False
    description = text(schema.get("description"))
    if told:
        description = f"{description}\n\n{json_text(told)}".strip()
    if description:
        strict["description"] = description
    return strict


def _keyword(name: str, value: Any, depth: int) -> dict[str, Any]:
    """One keyword as the grammar writes it; empty where it does not know it."""
    if name in _KEPT or (name == "format" and text(value) in _FORMATS) or (name == "minItems" and value in (0, 1)):
        return {name: value}
    if name in _SCHEMA_MAPS:
        return {name: {key: strict_schema(mapping(inner), depth + 1) for key, inner in mapping(value).items()}}
    if name in _SCHEMA_LISTS:
        return {_SCHEMA_LISTS[name]: [strict_schema(mapping(inner), depth + 1) for inner in items(value)]}
    if name == "items" and isinstance(value, dict):
        return {name: strict_schema(value, depth + 1)}
    return {}
