"""marshmallow fields that take JSON for what it says: "5" is no number, 1 is no boolean, null is as if absent."""

from typing import Any

from marshmallow import ValidationError, fields, validate


class Whole(fields.Field[int]):
    """A JSON integer between `low` and `high`."""

    def __init__(self, low: int | None = None, high: int | None = None, **options: Any) -> None:
        super().__init__(allow_none=True, validate=validate.Range(low, high), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("must be a whole number")
        return value


class Number(fields.Field[float]):
    """A JSON number between `low` and `high`."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, above: float | None = None, **options: Any
    ) -> None:
        limits = validate.Range(low if above is None else above, high, min_inclusive=above is None)
        super().__init__(allow_none=True, validate=limits, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a number")
        return value


class Flag(fields.Field[bool]):
    """A JSON boolean."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Text(fields.Field[str]):
    """A JSON string of at most `longest` characters, one of `choices` where they are given."""

    def __init__(
        self, longest: int = 256, shortest: int = 0, choices: tuple[str, ...] | None = None, **options: Any
    ) -> None:
        options.setdefault("allow_none", True)
        check = validate.Length(shortest, longest) if choices is None else validate.OneOf(choices)
        super().__init__(validate=check, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        return value


class Object(fields.Field[dict[str, Any]]):
    """A JSON object, its insides left to whoever reads it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value
