"""The shape of policies/breaker.json: checks it and makes a BreakerConfig. Every field is optional."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.breaker import BreakerConfig
from config.fields import Number, StrictSchema, Text, Whole

_DAY_S = 86_400


class BreakerSchema(StrictSchema):
    """The settings of the circuit breakers."""

    failure_rate_threshold = Number(0, 100, above=True)
    slow_call_rate_threshold = Number(0, 100, above=True)
    slow_call_duration_threshold_ms = Number(0, _DAY_S * 1000, above=True)
    sliding_window_s = Number(0.1, _DAY_S)
    minimum_number_of_calls = Whole(1, 1_000_000)
    consecutive_failures_threshold = Whole(1, 1_000_000)
    wait_duration_in_open_state_s = Number(0.01, _DAY_S)
    exponential_backoff_multiplier = Number(1, 100)
    exponential_max_wait_duration_in_open_state_s = Number(0.01, _DAY_S)
    permitted_number_of_calls_in_half_open_state = Whole(1, 1000)
    description = Text(load_default="")

    @validates_schema
    def maximum_is_no_less(self, data: Mapping[str, Any], **_: Any) -> None:
        """ValidationError where the longest wait is shorter than the first."""
        longest, default = "exponential_max_wait_duration_in_open_state_s", BreakerConfig()
        first = data.get("wait_duration_in_open_state_s", default.wait_duration_in_open_state_s)
        if data.get(longest, default.exponential_max_wait_duration_in_open_state_s) < first:
            raise ValidationError({longest: [f"expected no less than wait_duration_in_open_state_s ({first:g})"]})


def breaker_config(data: Mapping[str, Any]) -> BreakerConfig:
    """The settings a file's object describes; ValidationError where its shape is wrong."""
    loaded = BreakerSchema().load(data)
    del loaded["description"]
    settings: dict[str, Any] = {name: float(v) if isinstance(v, Decimal) else v for name, v in loaded.items()}
    return BreakerConfig(**settings)
