"""A plan and its candidates: the values, and the form in which they are stored with a job."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from routing.catalogue import Deployment, Exclusion
from routing.errors import ContextLengthExceeded, ProviderError
from routing.prices import price_from_wire


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment considered for a job. `score` and its parts are 0..1; a lower `tier` is tried first."""

    deployment: Deployment
    score: float = 0.0
    cost: float = 0.0
    latency: float = 0.0
    uptime: float = 0.0
    tier: int = 0
    # What cost and latency rest on: micro-dollars for this request, and ms; not kept with the job.
    cost_microusd: float | None = field(default=None, compare=False)
    latency_ms: float | None = field(default=None, compare=False)
    # Whether it goes first only to find out how it does.
    explored: bool = False

    def as_object(self) -> dict[str, Any]:
        """The candidate as callers see it."""
        parts = {"cost": round(self.cost, 4), "latency": round(self.latency, 4), "uptime": round(self.uptime, 4)}
        deployment = self.deployment
        shown = {
            "provider": deployment.provider,
            "model": deployment.model,
            "score": round(self.score, 4),
            "parts": parts,
            "tier": self.tier,
        }
        return {**shown, "explored": True} if self.explored else shown

    def to_wire(self) -> list[Any]:
        """A JSON-able list with all that a worker needs to call the deployment and to price its answer."""
        deployment = self.deployment
        parts = [round(part, 4) for part in (self.score, self.cost, self.latency, self.uptime)]
        return [
            deployment.provider, deployment.model, *parts, self.tier, deployment.context_length, deployment.price_wire
        ]  # fmt: skip

    @classmethod
    def from_wire(cls, wire: Sequence[Any]) -> "Candidate":
        """The inverse of `to_wire`; scores come back rounded, and capabilities not at all."""
        provider, model, total, cost, latency, uptime, tier, context_length, price = wire
        key = None if price is None else (*price[:4], tuple(map(tuple, price[4])))
        return cls(_deployment(provider, model, context_length, key), total, cost, latency, uptime, tier)


# A worker meets the same few deployments in every job, and making one with its price is most of reading a plan.
@lru_cache(maxsize=4096)
def _deployment(provider: str, model: str, context_length: int | None, price: tuple[Any, ...] | None) -> Deployment:
    return Deployment(provider, model, price_from_wire(price), context_length)


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered candidates of one request, the policy that ordered them, and what was left out."""

    policy: str
    candidates: tuple[Candidate, ...]
    exclusions: tuple[Exclusion, ...] = ()
    # How long the first candidate's call may take before a second one is made beside it, ms; None: however long.
    hedge_after_ms: float | None = None

    def next_place(self, place: int, error: ProviderError, left: Iterable[int] | None = None) -> int | None:
        """The place of the next candidate worth trying after `error` at `place`; None where there is none.

        `left` are the places the job may still go to, in their order; by default all behind `place`.
        """
        for other in range(place + 1, len(self.candidates)) if left is None else left:
            if not isinstance(error, ContextLengthExceeded) or _is_larger(
                self.candidates[other], self.candidates[place]
            ):
                return other
        return None

    def to_wire(self) -> dict[str, Any]:
        """The plan as it is stored with its job: JSON-able."""
        wire: dict[str, Any] = {
            "policy": self.policy,
            "candidates": [candidate.to_wire() for candidate in self.candidates],
        }
        if self.candidates and self.candidates[0].explored:
            # Not in the candidate's list: a worker of an older version takes it apart by its length.
            wire["explored"] = True
        if self.hedge_after_ms is not None:
            wire["hedge_after_ms"] = self.hedge_after_ms
        if self.exclusions:
            wire["exclusions"] = [[left.provider, left.model, left.reason] for left in self.exclusions]
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Plan":
        """The inverse of `to_wire`."""
        candidates = [Candidate.from_wire(candidate) for candidate in wire["candidates"]]
        if wire.get("explored"):
            candidates[0] = replace(candidates[0], explored=True)
        return cls(
            wire["policy"],
            tuple(candidates),
            tuple(Exclusion(*left) for left in wire.get("exclusions", ())),
            wire.get("hedge_after_ms"),
        )

    def as_object(self) -> dict[str, Any]:
        """The plan as callers see it: candidates in order, and who was left out for which reason."""
        shown = {
            "policy": self.policy,
            "candidates": [candidate.as_object() for candidate in self.candidates],
            "exclusions": [
                {"provider": left.provider, "model": left.model, "reason": left.reason} for left in self.exclusions
            ],
        }
        return shown if self.hedge_after_ms is None else {**shown, "hedge_after_ms": self.hedge_after_ms}


def _is_larger(other: Candidate, than: Candidate) -> bool:
    ours, theirs = than.deployment.context_length, other.deployment.context_length
    return ours is None or theirs is None or theirs > ours
