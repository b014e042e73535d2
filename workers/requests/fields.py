"""marshmallow fields that take JSON for what it says: "5" is no number, 1 is no boolean, null is as if absent.

Each says in `json_schema` what the API's document tells of it, but for its validators and null, which are read off it.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from marshmallow import ValidationError, fields, validate

T = TypeVar("T")
# What a schema's own checks hold beyond its fields, as JSON Schema: `json_rules` beside those checks.
Rules: TypeAlias = tuple[Mapping[str, Any], ...]


class JsonField(fields.Field[T]):
    """A field with an `about` for the reader of the API's document. Null is as if absent: refused where required."""

    def __init__(
        self, *, about: str = "", required: bool = False, allow_none: bool | None = None, **options: Any
    ) -> None:
        nullable = not required if allow_none is None else allow_none
        super().__init__(required=required, allow_none=nullable, metadata=described(about), **options)

    def json_schema(self) -> dict[str, Any]:
        """What its check takes, as JSON Schema."""
        raise NotImplementedError


def described(about: str) -> dict[str, str]:
    """The metadata that a field of marshmallow's own needs to have `about` in the document."""
    return {"description": about} if about else {}


class Whole(JsonField[int]):
    """A JSON integer between `low` and `high`."""

    def __init__(self, low: int | None = None, high: int | None = None, **options: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **options)

    def json_schema(self) -> dict[str, Any]:
        """A number without a fraction."""
        return {"type": "integer"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("must be a whole number")
        return value


class Number(JsonField[float]):
    """A JSON number between `low` and `high`."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, above: float | None = None, **options: Any
    ) -> None:
        limits = validate.Range(low if above is None else above, high, min_inclusive=above is None)
        super().__init__(validate=limits, **options)

    def json_schema(self) -> dict[str, Any]:
        """Any number."""
        return {"type": "number"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a number")
        return value


class Flag(JsonField[bool]):
    """A JSON boolean."""

    def json_schema(self) -> dict[str, Any]:
        """True or false."""
        return {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Text(JsonField[str]):
    """A JSON string of at most `longest` characters, one of `choices` where they are given."""

    def __init__(
        self, longest: int = 256, shortest: int = 0, choices: tuple[str, ...] | None = None, **options: Any
    ) -> None:
        check = validate.Length(shortest or None, longest) if choices is None else validate.OneOf(choices)
        super().__init__(validate=check, **options)

    def json_schema(self) -> dict[str, Any]:
        """Any text."""
        return {"type": "string"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        return value


class Object(JsonField[dict[str, Any]]):
    """A JSON object, its insides left to whoever reads it."""

    def json_schema(self) -> dict[str, Any]:
        """Any object."""
        return {"type": "object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value
