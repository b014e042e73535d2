"""What ordering candidates reads of a request, kept with its job so that it can be replayed: no text, no keys. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

from routing.preferences import NONE, Preferences, Sort
from routing.request import EMBEDDINGS, RoutingRequest
from routing.trace_fields import MOST

Bounds = tuple[tuple[float, float], ...]


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
    # (share of the calls, bound), as in Preferences.
    preferred_max_latency_ms: Bounds = ()
    preferred_min_throughput: Bounds = ()

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

    @property
    def embeds(self) -> bool:
        """Whether vectors were asked for."""
        return EMBEDDINGS in self.needs

    def request(self, model: str, priority: int) -> RoutingRequest:
        """The request again, as far as ordering reads it; what filters candidates is left out.

        `priority` is the step of its service tier.
        """
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
            needs=_EMBEDDING if self.embeds else frozenset(),
            prompt_tokens=self.prompt_tokens,
            max_tokens=self.max_tokens,
            preferences=NONE if wishes == NONE else wishes,
            priority=priority,
            # That an input fits is known.
            context_tokens=0 if self.embeds else None,
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
            elif name in _BOUNDS:
                read[name] = _bounds(name, value)
            elif name in _FLAGS:
                if not isinstance(value, bool):
                    raise ValueError(f"asked.{name}: expected true or false")
                read[name] = value
            elif name == "sort":
                if value not in tuple(Sort):
                    raise ValueError(f"asked.sort: expected one of {', '.join(Sort)}")
                read[name] = Sort(value)
        return cls(**read)


_EMBEDDING = frozenset({EMBEDDINGS})
_NAMES = frozenset({"needs", "models", "order"})
_COUNTS = frozenset({"prompt_tokens", "max_tokens"})
_BOUNDS = frozenset({"preferred_max_latency_ms", "preferred_min_throughput"})
_FLAGS = frozenset({"sort_across_models", "allow_fallbacks"})
_USUAL: Mapping[str, Any] = {field.name: field.default for field in fields(Asked)}
_OPTIONAL = tuple(name for name in _USUAL if name != "prompt_tokens")


def _finite(bounds: Bounds) -> Bounds:
    return tuple((share, bound) for share, bound in bounds if isfinite(bound))


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"asked.{name}: expected a list of names")
    return tuple(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError(f"asked.{name}: expected a whole number from 0 to {MOST}")
    return value


def _bounds(name: str, value: Any) -> Bounds:
    def is_bound(row: Any) -> bool:
        if not isinstance(row, list) or len(row) != 2:
            return False
        share, bound = row
        numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in row)
        return numbers and 0 < share < 1 and 0 <= bound < float("inf")

    if not isinstance(value, list) or not all(map(is_bound, value)):
        raise ValueError(f"asked.{name}: expected a list of [share of the calls, bound]")
    return tuple((float(share), float(bound)) for share, bound in value)
