"""What a request's `provider` object must look like. Fields nobody knows pass and are not read, as at OpenRouter.

Source: openrouter.ai/docs/guides/routing/provider-selection.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from api.fields import Flag, Text
from routing.preferences import PERCENTILES, Sort

_MAX_NAMES = 64
# USD per million tokens, seconds, tokens per second: more than any of them is.
_LARGEST = 1e9
_LONGEST_AMOUNT = 40


class _Loose(Schema):
    """An object whose unknown fields pass."""

    class Meta:
        unknown = INCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow declares it as an instance attribute


def _names(data_key: str | None = None) -> fields.List[Any]:
    return fields.List(
        Text(shortest=1, allow_none=False),
        allow_none=True,
        data_key=data_key,
        validate=validate.Length(max=_MAX_NAMES),
        error_messages={"invalid": "must be a list of provider names"},
    )


class Amount(fields.Field[Any]):
    """A price: a number from 0, or one in a string, as OpenRouter's clients send it."""

    def __init__(self) -> None:
        super().__init__(allow_none=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float | str) or not _is_amount(value):
            raise ValidationError(f"must be a number from 0 to {_LARGEST:.0f}")
        return value


class Threshold(fields.Field[Any]):
    """A number greater than 0, or one for some of OpenRouter's percentiles."""

    def __init__(self) -> None:
        super().__init__(allow_none=True)

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


class SortField(fields.Field[Any]):
    """A word, or an object that holds it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, dict):
            return SortSchema().load(value)
        if not isinstance(value, str) or value not in tuple(Sort):
            raise ValidationError(f"must be one of: {', '.join(Sort)}; or an object with `by`")
        return value


class Unheld(fields.Field[Any]):
    """A filter of OpenRouter's that this router cannot hold: asking for it is refused, not silently forgotten."""

    def __init__(self, instead: str) -> None:
        super().__init__(allow_none=True)
        self._instead = instead

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value not in (False, []):
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

    order = _names()
    # `only` is an attribute of marshmallow's own.
    allowed = _names("only")
    ignore = _names()
    allow_fallbacks = Flag()
    require_parameters = Flag()
    data_collection = Text(choices=("allow", "deny"))
    sort = SortField(allow_none=True)
    max_price = fields.Nested(MaxPriceSchema, allow_none=True)
    preferred_max_latency = Threshold()
    preferred_min_throughput = Threshold()
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
