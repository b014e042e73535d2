"""Makes plans: the order in which eligible deployments are tried for one request. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, log
from random import Random

from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.catalogue import NOT_FIRST, Catalogue, Deployment, Exclusion
from routing.eligibility import eligible, past_breakers
from routing.errors import NoCandidates
from routing.health import Snapshot
from routing.plan import Candidate, Plan
from routing.policy import Parts, parts_of, score
from routing.preferences import NONE, Preferences, Sort
from routing.request import RoutingRequest

# Candidates this close to the best score of their tier take turns.
_SPREAD = 0.05
# A tier counts, in this order: the caller's fallback models, the caller's preferred bounds, those outside the caller's
# own order, the policy's bounds, the tenant's preference.
_MODEL_STEP, _SHORT_STEP, _UNLISTED_STEP, _BOUNDS_STEP = 1_000_000, 500_000, 100_000, 10_000


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
    found, exclusions = eligible(request, tenant, catalogue)
    if not found:
        reasons = "; ".join(map(str, exclusions)) or "no deployment is configured for it"
        by_wish = any(left.param == "provider" for left in exclusions)
        raise NoCandidates(f"no deployment can serve this request: {reasons}", param="provider" if by_wish else "model")
    wishes = request.preferences
    places = _tenant_places(tenant)
    found = past_breakers(found, exclusions, tenant, snapshot, now)
    parts = parts_of([deployment for deployment, _ in found], request, policy, snapshot, now)
    candidates = [
        _candidate(deployment, policy, part, _tier(deployment, wish, part, wishes, places))
        for (deployment, wish), part in zip(found, parts, strict=True)
    ]
    ordered = _ordered(candidates, wishes, rng)
    if not tenant.features.failover:
        del ordered[1:]
    if not wishes.allow_fallbacks and not wishes.order:
        reason = f"{NOT_FIRST}, and provider.allow_fallbacks is false"
        exclusions += [Exclusion(left.deployment.provider, left.deployment.model, reason) for left in ordered[1:]]
        del ordered[1:]
    return Plan(policy.name, tuple(ordered), tuple(exclusions))


def place_of_model(tier: int) -> int:
    """Where the model of a candidate with this tier stands in the caller's list, from 0."""
    return tier // _MODEL_STEP


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
