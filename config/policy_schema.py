"""The shape of policies/routing.json: checks policies and makes PolicyConfig values."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from config.fields import NAME, Number, StrictField, StrictSchema, Text, unknown_message
from config.policy import DEFAULT_EXPLORATION, DEFAULT_HEDGE, DEFAULT_WEIGHTS, PolicyConfig, PolicyWeights

_TOLERANCE = 0.001


def policy_name(text: str) -> str:
    """A policy's name in its one spelling: `performance_first` is `performance-first`."""
    return text.replace("_", "-")


class StrategyField(StrictField[str]):
    """The name of a strategy the router knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"one of {', '.join(DEFAULT_WEIGHTS)}", **kwargs)

    def read(self, value: Any) -> str:
        """The strategy in its one spelling."""
        if not isinstance(value, str):
            raise self.refuse()
        name = policy_name(value)
        if name not in DEFAULT_WEIGHTS:
            raise ValidationError(unknown_message("strategy", name, DEFAULT_WEIGHTS))
        return name


class HedgeField(StrictField[float | None]):
    """From which percentile of its deployment's calls on a call is hedged: true, false, or the percentile."""

    # Earlier than at the median two calls would be the rule.
    _LOW, _HIGH = 50, 99.9

    def __init__(self, **kwargs: Any) -> None:
        expected = f"true (the {100 * DEFAULT_HEDGE:g}th percentile), false or a percentile"
        super().__init__(f"{expected} from {self._LOW} to {self._HIGH}", **kwargs)

    def read(self, value: Any) -> float | None:
        """The share of the calls, 0..1; None for false."""
        if isinstance(value, bool):
            return DEFAULT_HEDGE if value else None
        if not isinstance(value, int | float) or not self._LOW <= value <= self._HIGH:
            raise self.refuse()
        return value / 100


class WeightsSchema(StrictSchema):
    """The shares of a policy's terms."""

    cost = Number(high=1, required=True)
    latency = Number(high=1, required=True)
    uptime = Number(high=1, required=True)

    @validates_schema
    def sum_to_one(self, data: Mapping[str, Any], **_: Any) -> None:
        """ValidationError unless the three shares make one whole."""
        total = sum(data.values())
        if abs(float(total) - 1) > _TOLERANCE:
            raise ValidationError(f"expected weights that sum to 1, these sum to {total}")


class PolicySchema(StrictSchema):
    """One policy. `max_latency` is in ms."""

    strategy = StrategyField(load_default=None)
    weights = fields.Nested(WeightsSchema, load_default=None, allow_none=True)
    min_uptime = Number(high=1, load_default=0)
    max_latency = Number(0, 1e7, above=True, load_default=None, allow_none=True)
    exploration = Number(high=1, load_default=DEFAULT_EXPLORATION)
    hedge = HedgeField(load_default=None, allow_none=True)
    description = Text(load_default="")


def policy_config(name: str, row: Mapping[str, Any]) -> PolicyConfig:
    """The policy a loaded row describes; ValidationError where neither its strategy nor its name is one we know."""
    if not NAME.fullmatch(name):
        raise ValidationError("expected a policy's name as the key (letters, digits, . _ -)")
    strategy = row["strategy"] or policy_name(name)
    if strategy not in DEFAULT_WEIGHTS:
        raise ValidationError({"strategy": [f"missing; expected one of {', '.join(DEFAULT_WEIGHTS)}"]})
    weights = row["weights"]
    return PolicyConfig(
        name=policy_name(name),
        strategy=strategy,
        weights=DEFAULT_WEIGHTS[strategy] if weights is None else PolicyWeights(**_floats(weights)),
        min_uptime=float(row["min_uptime"]),
        max_latency_s=None if row["max_latency"] is None else float(row["max_latency"]) / 1000,
        exploration=float(row["exploration"]),
        hedge=row["hedge"],
        description=row["description"],
    )


def _floats(weights: Mapping[str, Any]) -> dict[str, float]:
    return {term: float(weight) for term, weight in weights.items()}
