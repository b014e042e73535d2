"""marshmallow schemas as JSON Schema: apispec's way, and beside it what our fields and schemas say themselves."""

import inspect
from decimal import Decimal
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate


class Converter(OpenAPIConverter):
    """Takes a field's type from its `json_schema`, and what a schema's own checks hold from `json_rules`."""

    def field2type_and_format(self, field: fields.Field[Any], **options: Any) -> dict[str, Any]:
        """The field's own word, else apispec's."""
        told = getattr(field, "json_schema", None)
        if told is not None:
            return dict(told())
        if isinstance(field, fields.Url):
            return {"type": "string", "format": "uri", "pattern": "^https?://"}
        return dict(super().field2type_and_format(field, **options))

    def field2default(self, field: fields.Field[Any], **options: Any) -> dict[str, Any]:
        """As apispec; a Decimal, which JSON has no word for, as the number it is."""
        told = dict(super().field2default(field, **options))
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in told.items()}

    def field2range(self, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
        """As apispec; a bound that is not among the values is told as such."""
        limits = dict(super().field2range(field, ret))
        ranges = [check for check in field.validators if isinstance(check, validate.Range)]
        if "minimum" in limits and not all(check.min_inclusive for check in ranges):
            limits["exclusiveMinimum"] = limits.pop("minimum")
        return limits

    def field2nullable(self, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
        """As apispec; null goes into forms without a type as well."""
        if field.allow_none and "anyOf" in ret:
            return {"anyOf": [*ret["anyOf"], {"type": "null"}]}
        if field.allow_none and "enum" in ret and None not in ret["enum"]:
            return {"enum": [*ret["enum"], None]}
        return dict(super().field2nullable(field, ret))

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """As apispec, with the first line of the schema's docstring and its rules."""
        shown = dict(super().schema2jsonschema(schema))  # type: ignore[no-untyped-call]
        kind = schema if isinstance(schema, type) else type(schema)
        shown["description"] = (inspect.getdoc(kind) or "").partition("\n")[0]
        rules = [rule for parent in kind.__mro__ for rule in vars(parent).get("json_rules", ())]
        return {**shown, "allOf": rules} if rules else shown


class Plugin(MarshmallowPlugin):
    """Converts with `Converter`."""

    Converter = Converter

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=_name)


def _name(schema: Any) -> str:
    """ChatCompletionSchema is ChatCompletionRequest: schemas here are what callers send."""
    kind: type[Schema] = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema") + "Request"
