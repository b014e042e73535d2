"""The order in which deployments are tried for one request, and why the others are not. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, inf, log
from random import Random
from typing import Any

from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.catalogue import Catalogue, Deployment, Exclusion
from routing.errors import NoCandidates
from routing.health import Snapshot
from routing.policy import Parts, parts_of, score
from routing.preferences import NONE, Preferences, Sort
from routing.prices import price_from_wire
from routing.request import RoutingRequest

__all__ = ["Candidate", "Exclusion", "Plan", "plan"]

# Candidates this close to the best score of their tier take turns.
_SPREAD = 0.05
# The token estimate is rough: a context is too short only when it is exceeded by this factor.
_CONTEXT_MARGIN = 1.25
# A tier counts, in this order: the caller's fallback models, the caller's preferred bounds, those outside the caller's
# own order, the policy's bounds, the tenant's preference.
_MODEL_STEP, _SHORT_STEP, _UNLISTED_STEP, _BOUNDS_STEP = 1_000_000, 500_000, 100_000, 10_000


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

    def as_object(self) -> dict[str, Any]:
        """The candidate as callers see it."""
        parts = {"cost": round(self.cost, 4), "latency": round(self.latency, 4), "uptime": round(self.uptime, 4)}
        deployment = self.deployment
        return {
            "provider": deployment.provider,
            "model": deployment.model,
            "score": round(self.score, 4),
            "parts": parts,
            "tier": self.tier,
        }

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

    def to_wire(self) -> dict[str, Any]:
        """The plan as it is stored with its job: JSON-able."""
        wire: dict[str, Any] = {
            "policy": self.policy,
            "candidates": [candidate.to_wire() for candidate in self.candidates],
        }
        if self.exclusions:
            wire["exclusions"] = [[left.provider, left.model, left.reason] for left in self.exclusions]
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Plan":
        """The inverse of `to_wire`."""
        return cls(
            wire["policy"],
            tuple(Candidate.from_wire(candidate) for candidate in wire["candidates"]),
            tuple(Exclusion(*left) for left in wire.get("exclusions", ())),
        )

    def as_object(self) -> dict[str, Any]:
        """The plan as callers see it: candidates in order, and who was left out for which reason."""
        return {
            "policy": self.policy,
            "candidates": [candidate.as_object() for candidate in self.candidates],
            "exclusions": [
                {"provider": left.provider, "model": left.model, "reason": left.reason} for left in self.exclusions
            ],
        }


def plan(
    request: RoutingRequest,
    tenant: Tenant,
    policy: PolicyConfig,
    catalogue: Catalogue,
    snapshot: Snapshot,
    now: float,
    rng: Random,
) -> Plan:
    """The plan of a request.

    Candidates are ordered by tier, then by score; scores within 0.05 of the best of their tier are put in an order
    drawn by `rng`, each with a weight that falls from 1 at the best score to 0 at the edge, so that equals share the
    load and nothing jumps. A caller's own `sort` or `order` draws no lots. Those whose circuit breaker is open are left
    out; when that is everybody, the one that may be called first is kept, so that the job waits for it. Raises
    ModelNotFound, or NoCandidates with each reason.
    """
    found, exclusions = _sift(request, tenant, catalogue)
    if not found:
        reasons = "; ".join(map(str, exclusions)) or "no deployment is configured for it"
        by_wish = any(left.param == "provider" for left in exclusions)
        raise NoCandidates(f"no deployment can serve this request: {reasons}", param="provider" if by_wish else "model")
    wishes = request.preferences
    places = _tenant_places(tenant)
    found = _past_breakers(found, exclusions, tenant, snapshot, now)
    parts = parts_of([deployment for deployment, _ in found], request, policy, snapshot, now)
    candidates = [
        _candidate(deployment, policy, part, _tier(deployment, wish, part, wishes, places))
        for (deployment, wish), part in zip(found, parts, strict=True)
    ]
    ordered = _ordered(candidates, wishes, rng)
    if not tenant.features.failover:
        del ordered[1:]
    if not wishes.allow_fallbacks and not wishes.order:
        reason = "not the first choice, and provider.allow_fallbacks is false"
        exclusions += [Exclusion(left.deployment.provider, left.deployment.model, reason) for left in ordered[1:]]
        del ordered[1:]
    return Plan(policy.name, tuple(ordered), tuple(exclusions))


def _sift(
    request: RoutingRequest, tenant: Tenant, catalogue: Catalogue
) -> tuple[list[tuple[Deployment, int]], list[Exclusion]]:
    """The deployments that can serve the request, each with the place of its model in the caller's list; the others."""
    found: list[tuple[Deployment, int]] = []
    exclusions: list[Exclusion] = []
    seen: set[str] = set()
    wishes = request.preferences
    for wish, model in enumerate(request.wanted):
        for deployment in catalogue.find(model):
            if deployment.id in seen:
                continue
            seen.add(deployment.id)
            reason, param = _obstacle(deployment, request, tenant), "model"
            if reason is None and wishes is not NONE:
                reason = wishes.obstacle(deployment, request.needs, request.parameters, request.prompt_tokens)
                param = "provider"
            if reason is None:
                found.append((deployment, wish))
            else:
                exclusions.append(Exclusion(deployment.provider, deployment.model, reason, param))
    return found, exclusions


def _past_breakers(
    found: list[tuple[Deployment, int]], exclusions: list[Exclusion], tenant: Tenant, snapshot: Snapshot, now: float
) -> list[tuple[Deployment, int]]:
    """Those of `found` that breakers let be called, or else the one they let be first; the others are excluded."""
    if not snapshot.tripped or not tenant.features.circuit_breaker:
        return found
    waits = [_breaker_wait_s(deployment, snapshot, now) for deployment, _ in found]
    soonest = min(waits)
    kept = [row for row, wait_s in zip(found, waits, strict=True) if wait_s == 0]
    if soonest > 0:
        kept = [found[waits.index(soonest)]]
    for row, wait_s in zip(found, waits, strict=True):
        if row not in kept:
            until = "" if wait_s == inf else f" for another {ceil(wait_s)} s"
            exclusions.append(Exclusion(row[0].provider, row[0].model, f"circuit breaker open{until}"))
    return kept


def _breaker_wait_s(deployment: Deployment, snapshot: Snapshot, now: float) -> float:
    """Seconds until the breakers of a deployment and of its account let it be called; infinite where nobody knows."""
    longest = 0.0
    for name in (deployment.id, deployment.provider):
        breaker = snapshot.tripped.get(name)
        if breaker is not None:
            wait_s = breaker.wait_s(now)
            longest = max(longest, inf if wait_s is None else wait_s)
    return longest


def _obstacle(deployment: Deployment, request: RoutingRequest, tenant: Tenant) -> str | None:
    """Why this deployment cannot serve this request of this tenant; None where it can."""
    if deployment.provider not in tenant.providers:
        return "not among the tenant's providers"
    if deployment.unusable_reason is not None:
        return deployment.unusable_reason
    if request.needs and (lacking := deployment.lacks(request.needs)):
        return f"lacks {', '.join(sorted(lacking))}"
    tokens = request.prompt_tokens + (request.max_tokens or 0)
    if deployment.context_length is not None and tokens > deployment.context_length * _CONTEXT_MARGIN:
        return f"context of {deployment.context_length} tokens is too short for about {tokens}"
    return None


def _tenant_places(tenant: Tenant) -> dict[str, int]:
    """Each provider the tenant puts before others -> its place; the rest share the place behind them."""
    if tenant.primary_provider is None and not tenant.fallback_order:
        return {}
    first = () if tenant.primary_provider is None else (tenant.primary_provider,)
    return {name: place for place, name in enumerate(dict.fromkeys((*first, *tenant.fallback_order)))}


def _candidate(deployment: Deployment, policy: PolicyConfig, parts: Parts, tier: int) -> Candidate:
    return Candidate(
        deployment,
        score(policy, parts),
        parts.cost,
        parts.latency,
        parts.uptime,
        tier,
        parts.cost_microusd,
        parts.latency_ms,
    )


def _tier(
    deployment: Deployment, wish: int, parts: Parts, wishes: Preferences, tenant_places: Mapping[str, int]
) -> int:
    """Which group the candidate is tried in; what the caller asks for goes before what policy and tenant prefer."""
    tier = 0 if wishes.sort_across_models else wish * _MODEL_STEP
    # Tokens per second are not recorded yet, so that bound is missed by nobody.
    if wishes is not NONE and wishes.falls_short(parts.latency_ms, None):
        tier += _SHORT_STEP
    if wishes.order:
        place = wishes.place(deployment)
        if place is not None:
            return tier + place
        tier += _UNLISTED_STEP
    if wishes.sort is not None:
        return tier
    tier += tenant_places.get(deployment.provider, len(tenant_places))
    return tier if parts.within_bounds else tier + _BOUNDS_STEP


def _ordered(candidates: Iterable[Candidate], wishes: Preferences, rng: Random) -> list[Candidate]:
    """By tier, then score, with near-equal scores at the head of each tier spread by a weighted draw."""
    if wishes.sort is not None:
        return sorted(candidates, key=_by_price if wishes.sort is Sort.PRICE else _by_latency)
    if wishes.order:
        return sorted(candidates, key=_rank)
    tiers: dict[int, list[Candidate]] = {}
    for candidate in sorted(candidates, key=_rank):
        tiers.setdefault(candidate.tier, []).append(candidate)
    ordered: list[Candidate] = []
    for tier in tiers.values():
        best = tier[0].score
        near = [candidate for candidate in tier if candidate.score > best - _SPREAD]
        if len(near) > 1:
            near = _drawn(near, best, rng)
        ordered += near + tier[len(near) :]
    return ordered


def _by_price(candidate: Candidate) -> tuple[int, float, float, str]:
    return _by(candidate, candidate.cost_microusd)


def _by_latency(candidate: Candidate) -> tuple[int, float, float, str]:
    # The order of throughput as well: of a whole answer's tokens per second only its latency is recorded.
    return _by(candidate, candidate.latency_ms)


def _by(candidate: Candidate, amount: float | None) -> tuple[int, float, float, str]:
    """The least first, what is not known last."""
    return candidate.tier, inf if amount is None else amount, -candidate.score, candidate.deployment.id


def _rank(candidate: Candidate) -> tuple[int, float, str]:
    return candidate.tier, -candidate.score, candidate.deployment.id


def _drawn(near: Sequence[Candidate], best: float, rng: Random) -> list[Candidate]:
    """A weighted draw without putting back: the least of independent exponentials goes first (Efraimidis, Spirakis)."""
    arrivals = []
    for place, candidate in enumerate(near):
        weight = max(1 - (best - candidate.score) / _SPREAD, 1e-9)
        arrivals.append((-log(1.0 - rng.random()) / weight, place))
    return [near[place] for _, place in sorted(arrivals)]
