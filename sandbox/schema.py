"""An instance of a JSON schema, always the same one. Not a validator: contradictory schemas get a best effort."""

import math
from collections.abc import Mapping
from typing import Any

from sandbox import pattern

# Deeper than this, only what a schema requires is filled in; at twice this, nothing is.
_DEEP = 6
_MOST_VALUES = 10_000
_MOST_ITEMS = 1000
# Bounds beyond this, infinite ones too, are no bounds here.
_LARGEST = 1e300
_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "sandbox@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: object, name: str = "value") -> Any:
    """A value that is valid against `schema` (JSON Schema 2020-12 or the OpenAPI subset that Gemini takes)."""
    return _Synthesis(schema).value(schema, name, 0)


class _Synthesis:
    def __init__(self, root: object) -> None:
        self._root = root
        self._left = _MOST_VALUES

    def value(self, schema: object, name: str, depth: int) -> Any:
        self._left -= 1
        if depth > 2 * _DEEP or self._left < 0:
            return None
        if not isinstance(schema, Mapping):
            return f"sample {name}"
        schema = self._flattened(schema, _DEEP)
        if "const" in schema:
            return schema["const"]
        for key in ("enum", "examples"):
            if isinstance(schema.get(key), list) and schema[key]:
                return schema[key][0]
        return self._typed(_kind(schema), schema, name, depth)

    def _typed(self, kind: str, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("number", "integer"):
            return _number(schema, whole=kind == "integer")
        constants: dict[str, Any] = {"boolean": True, "null": None}
        return constants[kind] if kind in constants else _string(schema, name)

    def _flattened(self, schema: Mapping[str, Any], steps: int) -> Mapping[str, Any]:
        """The schema with references followed, alternatives chosen (the first) and conjunctions merged."""
        for _ in range(steps):
            if isinstance(schema.get("$ref"), str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = _merged(self._referred(schema["$ref"]), rest)
            elif choices := [c for key in ("anyOf", "oneOf") for c in _mappings(schema.get(key))]:
                rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
                schema = _merged(choices[0], rest)
            elif parts := _mappings(schema.get("allOf")):
                schema = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    schema = _merged(schema, self._flattened(part, steps - 1))
            else:
                break
        return schema

    def _referred(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        listed = schema.get("required")
        required = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        names = required if depth >= _DEEP else [*properties, *(name for name in required if name not in properties)]
        filled = {name: self.value(properties.get(name, {}), name, depth + 1) for name in names}
        extra = schema.get("additionalProperties", {})
        for number in range(len(filled), _count(schema, "minProperties")):
            filled[f"key_{number}"] = self.value(extra, f"key_{number}", depth + 1)
        return filled

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        prefix = schema.get("prefixItems")
        filled = [self.value(item, name, depth + 1) for item in prefix] if isinstance(prefix, list) else []
        most = _count(schema, "maxItems", _MOST_ITEMS)
        least = _count(schema, "minItems")
        wanted = max(least, 0 if prefix or depth >= _DEEP else 1)
        items = schema.get("items", {})
        for number in range(len(filled), min(wanted, most)):
            item = self.value(items, name, depth + 1)
            filled.append(_another(item, items, number) if schema.get("uniqueItems") and number else item)
        return filled


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if isinstance(kind, str):
        return kind.lower()
    implied = {"properties": "object", "required": "object", "items": "array", "minimum": "number", "maximum": "number"}
    return next((kind for key, kind in implied.items() if key in schema), "string")


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**base, **over}
    if isinstance(base.get("properties"), Mapping) and isinstance(over.get("properties"), Mapping):
        merged["properties"] = {**base["properties"], **over["properties"]}
    if isinstance(base.get("required"), list) and isinstance(over.get("required"), list):
        merged["required"] = [*base["required"], *over["required"]]
    return merged


def _count(schema: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = schema.get(key, default)
    try:
        return max(0, min(int(value), _MOST_ITEMS))
    except (TypeError, ValueError, OverflowError):
        return default


def _bound(schema: Mapping[str, Any], key: str) -> float | None:
    value = schema.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _number(schema: Mapping[str, Any], *, whole: bool) -> float | int:
    """A number within the bounds, 1 where it may be."""
    step = _bound(schema, "multipleOf") or 0.0
    grain = step if step > 0 else (1.0 if whole else 0.5)
    lows = [b for key in ("minimum", "exclusiveMinimum") if (b := _bound(schema, key)) is not None]
    highs = [b for key in ("maximum", "exclusiveMaximum") if (b := _bound(schema, key)) is not None]
    value = math.ceil(max([1.0, *lows]) / grain) * grain
    if highs and value >= min(highs):
        value = math.floor(min(highs) / grain) * grain
    if value == _bound(schema, "exclusiveMinimum"):
        value += grain
    if value == _bound(schema, "exclusiveMaximum"):
        value -= grain
    if not whole and not step and lows and highs and not max(lows) <= value <= min(highs):
        value = (max(lows) + min(highs)) / 2
    return int(value) if value == int(value) else value


def _string(schema: Mapping[str, Any], name: str) -> str:
    least, most = _count(schema, "minLength"), _count(schema, "maxLength", _MOST_ITEMS)
    if isinstance(schema.get("pattern"), str):
        sampled = pattern.sample(schema["pattern"], least)
        if sampled is not None:
            return sampled
    known = _FORMATS.get(str(schema.get("format")))
    if known is not None:
        return known
    return f"sample {name}".ljust(least, ".")[:most]


def _another(item: Any, items: object, number: int) -> Any:
    """A different item for the next place of an array of unique ones."""
    choices = items.get("enum") if isinstance(items, Mapping) else None
    if isinstance(choices, list) and number < len(choices):
        return choices[number]
    if isinstance(item, str):
        return f"{item} {number + 1}"
    return item + number if isinstance(item, int | float) and not isinstance(item, bool) else item
