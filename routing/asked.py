"""What ordering candidates reads of a request, kept with its job so that it can be replayed: no text, no keys. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

from routing.preferences import NONE, Preferences, Sort
from routing.request import RoutingRequest
from routing.trace_fields import MOST


@dataclass(frozen=True, slots=True)
class Asked:
    """One request's figures and its wishes for the order; who can serve it at all is in its plan.

    `prompt_tokens` is an estimate, latency is in ms, throughput in tokens per second.
    """

    prompt_tokens: int = 0
    max_tokens: int | None = None
    needs: tuple[str, ...] = ()
    # Tried after the job's model.
    models: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    sort: Sort | None = None
    sort_across_models: bool = False
    allow_fallbacks: bool = True
    preferred_max_latency_ms: float | None = None
    preferred_min_throughput: float | None = None

    @classmethod
    def of(cls, request: RoutingRequest) -> "Asked":
        """What is kept of a request."""
        wishes = request.preferences
        max_tokens = None if request.max_tokens is None else min(request.max_tokens, MOST)
        kept = cls(request.prompt_tokens, max_tokens, tuple(sorted(request.needs)), request.models)
        if wishes is NONE:
            return kept
        return replace(
            kept,
            order=wishes.order,
            sort=wishes.sort,
            sort_across_models=wishes.sort_across_models,
            allow_fallbacks=wishes.allow_fallbacks,
            preferred_max_latency_ms=_finite(wishes.preferred_max_latency_ms),
            preferred_min_throughput=_finite(wishes.preferred_min_throughput),
        )

    def request(self, model: str) -> RoutingRequest:
        """The request again, as far as ordering reads it; what filters candidates is left out."""
        wishes = Preferences(
            order=self.order,
            allow_fallbacks=self.allow_fallbacks,
            sort=self.sort,
            sort_across_models=self.sort_across_models,
            preferred_max_latency_ms=self.preferred_max_latency_ms,
            preferred_min_throughput=self.preferred_min_throughput,
        )
        return RoutingRequest(
            model,
            self.models,
            prompt_tokens=self.prompt_tokens,
            max_tokens=self.max_tokens,
            preferences=NONE if wishes == NONE else wishes,
        )

    def knowing(self, names: Collection[str]) -> "Asked":
        """The same without names in `order` that are not among `names` (lower case): a caller may write anything there.

        An order of unknown names alone stays an order, of nobody: it still draws no lots.
        """
        if not self.order:
            return self
        return replace(self, order=tuple(name for name in self.order if name in names) or ("?",))

    def to_wire(self) -> dict[str, Any]:
        """A JSON-able object of what is not as usual."""
        return {
            "prompt_tokens": self.prompt_tokens,
            **{name: value for name in _OPTIONAL if (value := getattr(self, name)) != _USUAL[name]},
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Asked":
        """The inverse of `to_wire`; ValueError names the field that is not as it should be."""
        read: dict[str, Any] = {}
        for name, value in wire.items():
            if name in _NAMES:
                read[name] = _names(name, value)
            elif name in _COUNTS:
                read[name] = _count(name, value)
            elif name in _AMOUNTS:
                read[name] = _amount(name, value)
            elif name in _FLAGS:
                if not isinstance(value, bool):
                    raise ValueError(f"asked.{name}: expected true or false")
                read[name] = value
            elif name == "sort":
                if value not in tuple(Sort):
                    raise ValueError(f"asked.sort: expected one of {', '.join(Sort)}")
                read[name] = Sort(value)
        return cls(**read)


_NAMES = frozenset({"needs", "models", "order"})
_COUNTS = frozenset({"prompt_tokens", "max_tokens"})
_AMOUNTS = frozenset({"preferred_max_latency_ms", "preferred_min_throughput"})
_FLAGS = frozenset({"sort_across_models", "allow_fallbacks"})
_USUAL: Mapping[str, Any] = {field.name: field.default for field in fields(Asked)}
_OPTIONAL = tuple(name for name in _USUAL if name != "prompt_tokens")


def _finite(amount: float | None) -> float | None:
    return amount if amount is not None and isfinite(amount) else None


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"asked.{name}: expected a list of names")
    return tuple(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError(f"asked.{name}: expected a whole number from 0 to {MOST}")
    return value


def _amount(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"asked.{name}: expected a number from 0")
    return float(value)
