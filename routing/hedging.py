"""When a call has taken so long that a second one is worth making beside it, and to whom. Pure."""

from collections.abc import Sequence
from math import hypot, sqrt
from statistics import NormalDist

from config.policy import PolicyConfig
from routing.job import ServiceTier
from routing.plan import Candidate
from routing.policy import measured_tokens
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from routing.speed import Speed
from routing.tier import place_of_model

# With fewer calls remembered nobody knows what is long. As they fade, that is one every 5 s or more often.
LEAST_CALLS = 5.0
# Below this it is noise that would be hedged, and there is little to gain.
LEAST_WAIT_MS = 50.0


def hedge_after_ms(
    ordered: Sequence[Candidate], request: RoutingRequest, policy: PolicyConfig, snapshot: Snapshot
) -> float | None:
    """How long the first candidate's call may take before it is hedged, in ms; None: it is not hedged.

    It is the policy's percentile of that deployment's durations, for an answer as long as these candidates' usually
    are, at least LEAST_WAIT_MS. Not where too little is known of it, where nobody could answer in its place, nor for
    jobs that are in no hurry (`flex`, batches).
    """
    if policy.hedge is None or request.priority > ServiceTier.DEFAULT.priority or not stand_ins(ordered):
        return None
    speed = snapshot.of(ordered[0].deployment.id).speed
    if speed.n < LEAST_CALLS:
        return None
    tokens = measured_tokens([snapshot.of(candidate.deployment.id) for candidate in ordered], request)
    return round(max(duration_ms(speed, tokens, policy.hedge), LEAST_WAIT_MS), 1)


def stand_ins(candidates: Sequence[Candidate]) -> list[int]:
    """The places of those that may answer in the first one's place: they serve the same model of the caller's list.

    The caller's fallback models are for when a model fails, not for when it is slow.
    """
    asked = place_of_model(candidates[0].tier)
    return [place for place, other in enumerate(candidates) if place and place_of_model(other.tier) == asked]


def duration_ms(speed: Speed, tokens: float, share: float) -> float:
    """What so large a share (0.5 or more) of the calls stay under, though nobody knows how long their answers will be.

    mean + z * spread, as Speed.percentile_ms; the spread is that around the line and that of the lengths, taken to be
    independent. It takes durations for normal.
    """
    mean_tokens = speed.x / speed.n
    lengths = sqrt(max(speed.xx / speed.n - mean_tokens * mean_tokens, 0.0))
    spread_ms = hypot(speed.spread_ms, speed.ms_per_token * lengths)
    return speed.expected_ms(tokens) + NormalDist().inv_cdf(share) * spread_ms
