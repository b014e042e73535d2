"""Makes plans: the order in which eligible deployments are tried for one request. Pure."""

from collections.abc import Iterable, Sequence
from math import inf, log
from random import Random

from config.access_key import AccessKey
from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.catalogue import NOT_FIRST, Catalogue, Deployment, Exclusion
from routing.eligibility import eligible, nobody_serves, past_breakers
from routing.exploration import with_exploration
from routing.hedging import hedge_after_ms
from routing.plan import Candidate, Plan
from routing.policy import NO_OWN_KEYS, Parts, parts_of, score
from routing.preferences import NONE, Sort
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from routing.tier import tenant_places, tier_of

# Candidates this close to the best score of their tier take turns.
_SPREAD = 0.05


def plan(
    request: RoutingRequest,
    tenant: Tenant,
    policy: PolicyConfig,
    catalogue: Catalogue,
    snapshot: Snapshot,
    now: float,
    rng: Random,
    key: AccessKey | None = None,
) -> Plan:
    """The plan of a request, which came with `key`.

    Candidates are ordered by tier, then by score; scores within 0.05 of the best of their tier are put in an order
    drawn by `rng`, each with a weight that falls from 1 at the best score to 0 at the edge, so that equals share the
    load and nothing jumps. A caller's own `sort` or `order` draws no lots. Now and then somebody who is not known leads
    (exploration.py). Those whose circuit breaker is open are left
    out; when that is everybody, the one that may be called first is kept, so that the job waits for it. Raises
    ModelNotFound, ModelNotAllowed, or NoCandidates with each reason.
    """
    found, exclusions = eligible(request, tenant, catalogue, key)
    if not found:
        raise nobody_serves(exclusions)
    wishes = request.preferences
    places = tenant_places(tenant)
    found = past_breakers(found, exclusions, tenant, snapshot, now)
    own = {name: f"{tenant.tenant_id}@{name}" for name in tenant.own_keys} if tenant.own_keys else NO_OWN_KEYS
    parts = parts_of([deployment for deployment, _ in found], request, policy, snapshot, now, own)
    candidates = [
        _candidate(
            deployment,
            policy,
            part,
            tier_of(
                deployment,
                wishes,
                places,
                model_place=place,
                falls_short=wishes is not NONE and _falls_short(deployment, request, snapshot),
                within_bounds=part.within_bounds,
            ),
        )
        for (deployment, place), part in zip(found, parts, strict=True)
    ]
    ordered = _ordered(candidates, request, snapshot, rng)
    # Who has one call is not asked to spend it on finding out.
    if tenant.features.failover and wishes.allow_fallbacks:
        ordered = with_exploration(ordered, request, policy, snapshot, _SPREAD, now, rng)
    if not tenant.features.failover:
        del ordered[1:]
    if not wishes.allow_fallbacks and not wishes.order:
        reason = f"{NOT_FIRST}, and provider.allow_fallbacks is false"
        exclusions += [Exclusion(left.deployment.provider, left.deployment.model, reason) for left in ordered[1:]]
        del ordered[1:]
    return Plan(policy.name, tuple(ordered), tuple(exclusions), hedge_after_ms(ordered, request, policy, snapshot))


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


def _falls_short(deployment: Deployment, request: RoutingRequest, snapshot: Snapshot) -> bool:
    wait_ms = snapshot.wait_ms(deployment.provider, request.priority)
    return request.preferences.falls_short(snapshot.of(deployment.id).speed, wait_ms)


def _ordered(
    candidates: Iterable[Candidate], request: RoutingRequest, snapshot: Snapshot, rng: Random
) -> list[Candidate]:
    """By tier, then score, with near-equal scores at the head of each tier spread by a weighted draw."""
    wishes = request.preferences
    if wishes.sort is not None:
        return _sorted_by(wishes.sort, candidates, request, snapshot)
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


def _sorted_by(
    sort: Sort, candidates: Iterable[Candidate], request: RoutingRequest, snapshot: Snapshot
) -> list[Candidate]:
    """By tier, then by the one thing the caller sorts by: the best first, what is not known last."""

    def rank(candidate: Candidate) -> tuple[int, float, float, str]:
        deployment = candidate.deployment
        speed = snapshot.of(deployment.id).speed
        amount: float | None = None
        if sort is Sort.PRICE:
            amount = candidate.cost_microusd
        elif speed.known and sort is Sort.LATENCY:
            amount = speed.ttft_ms + snapshot.wait_ms(deployment.provider, request.priority)
        elif speed.known:
            amount = -speed.tokens_per_s
        return candidate.tier, inf if amount is None else amount, -candidate.score, deployment.id

    return sorted(candidates, key=rank)


def _rank(candidate: Candidate) -> tuple[int, float, str]:
    return candidate.tier, -candidate.score, candidate.deployment.id


def _drawn(near: Sequence[Candidate], best: float, rng: Random) -> list[Candidate]:
    """A weighted draw without putting back: the least of independent exponentials goes first (Efraimidis, Spirakis)."""
    arrivals = []
    for place, candidate in enumerate(near):
        weight = max(1 - (best - candidate.score) / _SPREAD, 1e-9)
        arrivals.append((-log(1.0 - rng.random()) / weight, place))
    return [near[place] for _, place in sorted(arrivals)]
