"""What a request's `provider` object must look like. Fields nobody knows pass and are not read, as at OpenRouter.

Source: openrouter.ai/docs/guides/routing/provider-selection.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from routing.preferences import PERCENTILES, Sort
from workers.requests.fields import Flag, JsonField, Text, described

_MAX_NAMES = 64
# USD per million tokens, seconds, tokens per second: more than any of them is.
_LARGEST = 1e9
_LONGEST_AMOUNT = 40


class _Loose(Schema):
    """An object whose unknown fields pass."""

    class Meta:
        unknown = INCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow declares it as an instance attribute


def _names(about: str, data_key: str | None = None) -> fields.List[Any]:
    return fields.List(
        Text(shortest=1, allow_none=False),
        allow_none=True,
        data_key=data_key,
        validate=validate.Length(max=_MAX_NAMES),
        error_messages={"invalid": "must be a list of provider names"},
        metadata=described(about),
    )


class Amount(JsonField[Any]):
    """A price: a number from 0, or one in a string, as OpenRouter's clients send it."""

    def json_schema(self) -> dict[str, Any]:
        """A number, or the plain form of one as text; other forms of the same are taken as well."""
        text = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,20})?$"}
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": _LARGEST}, text]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float | str) or not _is_amount(value):
            raise ValidationError(f"must be a number from 0 to {_LARGEST:.0f}")
        return value


class Threshold(JsonField[Any]):
    """A number greater than 0, or one for some of OpenRouter's percentiles."""

    def json_schema(self) -> dict[str, Any]:
        """The bound for the p50, or an object of bounds."""
        limits = {"exclusiveMinimum": 0, "maximum": _LARGEST}
        bounds = {name: {"type": ["number", "null"], **limits} for name in PERCENTILES}
        return {
            "anyOf": [
                {"type": "number", **limits},
                {"type": "object", "properties": bounds, "additionalProperties": False},
            ]
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if not isinstance(value, dict):
            _check_bound(value)
            return value
        problems: dict[str, list[str]] = {}
        for name, bound in value.items():
            if name not in PERCENTILES:
                problems[ascii(name)[1:-1]] = [f"is no percentile; there are: {', '.join(PERCENTILES)}"]
            elif bound is not None:
                try:
                    _check_bound(bound)
                except ValidationError as error:
                    problems[name] = [str(message) for message in error.messages]
        if problems:
            raise ValidationError(problems)
        return value


class SortSchema(_Loose):
    """OpenRouter's long form of `sort`."""

    by = Text(choices=tuple(Sort))
    partition = Text(choices=("model", "none"))


class SortField(JsonField[Any]):
    """A word, or an object that holds it."""

    def json_schema(self) -> dict[str, Any]:
        """OpenRouter's short and long form."""
        words = [word.value for word in Sort]
        by = {"enum": [*words, None]}
        partition = {"enum": ["model", "none", None]}
        return {"anyOf": [{"enum": words}, {"type": "object", "properties": {"by": by, "partition": partition}}]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, dict):
            return SortSchema().load(value)
        if not isinstance(value, str) or value not in tuple(Sort):
            raise ValidationError(f"must be one of: {', '.join(Sort)}; or an object with `by`")
        return value


class Unheld(JsonField[Any]):
    """A filter of OpenRouter's that this router cannot hold: asking for it is refused, not silently forgotten."""

    def __init__(self, instead: str) -> None:
        super().__init__(about=f"Cannot be held here: {instead}.")
        self._instead = instead

    def json_schema(self) -> dict[str, Any]:
        """Only what asks for nothing."""
        return {"enum": [False, []]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value is not False and value != []:
            raise ValidationError(f"cannot be held here: {self._instead}")
        return value


class MaxPriceSchema(_Loose):
    """USD per million tokens; per request and image, which no provider here charges for."""

    prompt = Amount()
    completion = Amount()
    request = Amount()
    image = Amount()
    audio = Amount()


class PreferencesSchema(_Loose):
    """The `provider` object."""

    order = _names("Tried first, in this order.")
    # `only` is an attribute of marshmallow's own.
    allowed = _names("No others are tried.", "only")
    ignore = _names("These are not tried.")
    allow_fallbacks = Flag(about="Whether others may be tried when the first fails.")
    require_parameters = Flag(about="Whether only those are tried that honour every parameter.")
    data_collection = Text(choices=("allow", "deny"), about="Whether providers that keep data may be tried.")
    sort = SortField(about="What alone orders the candidates.")
    max_price = fields.Nested(MaxPriceSchema, allow_none=True)
    preferred_max_latency = Threshold(about="Seconds to the first token; who is slower is tried later.")
    preferred_min_throughput = Threshold(about="Tokens per second; who is slower is tried later.")
    zdr = Unheld("no provider's row says that it retains nothing; see data_collection")
    enforce_distillable_text = Unheld("no model's row says what its text may be used for")
    quantizations = Unheld("no model's row says how it is quantized")


def _is_amount(value: float | str) -> bool:
    if isinstance(value, str) and len(value) > _LONGEST_AMOUNT:
        return False
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return False
    return amount.is_finite() and 0 <= amount <= Decimal(_LARGEST)


def _check_bound(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LARGEST:
        raise ValidationError(f"must be a number greater than 0, up to {_LARGEST:.0f}, or an object of percentiles")
