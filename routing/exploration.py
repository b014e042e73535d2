"""Now and then somebody who has not been called for a while goes first, or nobody would know that he is well. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from config.policy import PolicyConfig
from routing.health import Health
from routing.plan import Candidate
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from routing.tier import as_if_within_bounds

# Nobody has called it for this long, or for ten times what its answers last took, up to that long: it is not known.
_STALE_S, _STALE_ANSWERS, _STALEST_S = 10.0, 10.0, 30.0
# A speed that rests on fewer calls is not known either: new ones contradict the old.
_LEAST_CALLS = 3.0


def with_exploration(
    ordered: list[Candidate],
    request: RoutingRequest,
    policy: PolicyConfig,
    snapshot: Snapshot,
    margin: float,
    now: float,
    rng: Random,
) -> list[Candidate]:
    """`ordered`, or with the policy's probability one of the others in front, marked as explored.

    Only one that nobody knows now, and that could lead if it were well: it would be in the first one's tier or before
    it but for the policy's bounds, its score would be less than `margin` below the best of that tier with the best of
    latency and uptime, and no job waits in its queue. A caller's own `order` or `sort` explores nothing.
    """
    wishes = request.preferences
    if len(ordered) < 2 or not policy.exploration or wishes.order or wishes.sort is not None:
        return ordered
    if rng.random() >= policy.exploration:
        return ordered
    unknown = _unknown(ordered, request, policy, snapshot, margin, now)
    if not unknown:
        return ordered
    place = unknown[int(rng.random() * len(unknown))]
    return [replace(ordered[place], explored=True), *ordered[:place], *ordered[place + 1 :]]


def _unknown(
    ordered: Sequence[Candidate],
    request: RoutingRequest,
    policy: PolicyConfig,
    snapshot: Snapshot,
    margin: float,
    now: float,
) -> list[int]:
    """The places of those that may be explored."""
    first = ordered[0].tier
    home = as_if_within_bounds(first)
    best = max(candidate.score for candidate in ordered if candidate.tier == first)
    weights = policy.weights
    found = []
    for place, candidate in enumerate(ordered[1:], start=1):
        tier = as_if_within_bounds(candidate.tier)
        at_best = weights.cost * candidate.cost + weights.latency + weights.uptime
        if tier > home or (tier == home and at_best <= best - margin):
            continue
        deployment = candidate.deployment
        # The next check tells when an account that failed its last one is well.
        if deployment.provider in snapshot.ailing:
            continue
        if snapshot.wait_ms(deployment.provider, request.priority):
            continue
        health = snapshot.of(deployment.id)
        if _is_stale(health, now) or _is_recovering(health, candidate.uptime, policy):
            found.append(place)
    return found


def _is_stale(health: Health, now: float) -> bool:
    patience_s = _STALE_ANSWERS * health.speed.mean_ms / 1000
    return health.speed.n < _LEAST_CALLS or now - health.last_s > min(max(_STALE_S, patience_s), _STALEST_S)


def _is_recovering(health: Health, uptime: float, policy: PolicyConfig) -> bool:
    """Put back for its failures, and its last call was good: a few calls more, and its uptime says so."""
    return uptime < policy.min_uptime and health.consecutive_failures == 0
