"""How deployments are compared: a policy's score of each, from cost, latency and uptime. Orders nothing; pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from config.policy import PolicyConfig
from routing.catalogue import Deployment
from routing.health import Health
from routing.permits import demand
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from routing.speed import USUAL_TOKENS

# Differences of this size do not matter: they keep the ratios below finite and calm.
_COST_GRAIN_MICROUSD = 1.0
_LATENCY_GRAIN_MS = 10.0
# Of most tenants.
NO_OWN_KEYS: Mapping[str, str] = {}


# A tuple, unlike its neighbours: twenty are made in every plan, and a frozen dataclass takes three times as long.
class Parts(NamedTuple):
    """The three terms of one deployment's score, each 0..1 and the higher the better."""

    cost: float
    latency: float
    uptime: float
    # Whether it keeps the policy's min_uptime and max_latency, as far as its latency is known, and its account is not
    # known to ail.
    within_bounds: bool
    # What the terms rest on: micro-dollars for this request, ms; None where it is not known.
    cost_microusd: float | None = None
    latency_ms: float | None = None


def parts_of(
    deployments: Sequence[Deployment],
    request: RoutingRequest,
    policy: PolicyConfig,
    snapshot: Snapshot,
    now: float,
    own: Mapping[str, str] = NO_OWN_KEYS,
) -> list[Parts]:
    """The parts of each deployment, in order; cost and latency are relative to the best of them.

    cost = (cheapest + 1) / (cost + 1), in micro-dollars estimated for this request. An unknown price counts as the
    dearest known one: it is never taken for free. latency = (fastest + 10) / (latency + 10), in ms: how long this
    answer is expected to take, and the wait in the provider's queue. A deployment of unknown speed is as fast as makes
    its part the mean of the known ones'. Where no price (or no speed) is known at all, it is the same for everyone.
    `own` are the accounts of the tenant's own keys, by provider: their limits hold in place of the shared ones.
    """
    health = [snapshot.of(deployment.id) for deployment in deployments]
    costs = [_cost(deployment, request) for deployment in deployments]
    cost_parts = _relative(costs, _COST_GRAIN_MICROUSD)
    dearest = min((part for part in cost_parts if part is not None), default=1.0)
    durations = _durations(health, request)
    waits = [0.0] * len(health)
    if snapshot.waits_ms:
        waits = [snapshot.wait_ms(deployment.provider, request.priority) for deployment in deployments]
    if snapshot.permits:
        needed = demand(request.prompt_tokens, request.completion_tokens)
        waits = [
            wait
            + snapshot.permit_wait_ms(own.get(deployment.provider, deployment.provider), deployment.model, needed, now)
            for wait, deployment in zip(waits, deployments, strict=True)
        ]
    stand_in = _stand_in(durations) if None in durations else 0.0
    felt = [(stand_in if took is None else took) + wait for took, wait in zip(durations, waits, strict=True)]
    shortest = min(felt) + _LATENCY_GRAIN_MS
    min_uptime = policy.min_uptime
    slowest_ms = float("inf") if policy.max_latency_s is None else policy.max_latency_s * 1000
    found = []
    for deployment, known, cost_part, cost, took, wait, ms in zip(
        deployments, health, cost_parts, costs, durations, waits, felt, strict=True
    ):
        uptime = known.uptime(now)
        within_bounds = (
            uptime >= min_uptime
            and (wait if took is None else ms) <= slowest_ms
            and not snapshot.ails(deployment.provider, own_key=deployment.provider in own)
        )
        found.append(
            Parts(
                dearest if cost_part is None else cost_part,
                shortest / (ms + _LATENCY_GRAIN_MS),
                uptime,
                within_bounds,
                cost,
                None if took is None else ms,
            )
        )
    return found


def score(policy: PolicyConfig, parts: Parts) -> float:
    """The weighted mean of the parts, 0..1."""
    weights = policy.weights
    total = weights.cost * parts.cost + weights.latency * parts.latency + weights.uptime * parts.uptime
    # The weights sum to 1 only within the loader's tolerance.
    return min(total, 1.0)


def expected_tokens(health: Sequence[Health], max_tokens: int | None) -> float:
    """How many tokens the answer is taken to have: as these deployments' answers lately had, at most `max_tokens`.

    One number for all of them, so that they are compared on the same answer; and one they have experience with, so
    that little is extrapolated. 256 where there is none.
    """
    calls = tokens = 0.0
    for known in health:
        calls += known.speed.n
        tokens += known.speed.x
    usual = tokens / calls if calls else USUAL_TOKENS
    return usual if max_tokens is None else min(usual, max_tokens)


def measured_tokens(health: Sequence[Health], request: RoutingRequest) -> float:
    """The tokens by which a call's duration is told: those of the answer, or of the input where vectors are made."""
    return request.prompt_tokens if request.embeds else expected_tokens(health, request.max_tokens)


def _durations(health: Sequence[Health], request: RoutingRequest) -> list[float | None]:
    """How long each would take to answer this request, in ms, from the call on; None where nobody knows."""
    tokens = measured_tokens(health, request)
    speeds = [known.speed for known in health]
    return [speed.ttft_ms + speed.ms_per_token * tokens if speed.n else None for speed in speeds]


def _stand_in(durations: Sequence[float | None]) -> float:
    """The duration of those nobody knows: its part is the mean of the known parts, and 0 where there are none."""
    known = [part for part in _relative(durations, _LATENCY_GRAIN_MS) if part is not None]
    if not known:
        return 0.0
    shortest = min(took for took in durations if took is not None) + _LATENCY_GRAIN_MS
    return shortest * len(known) / sum(known) - _LATENCY_GRAIN_MS


def _cost(deployment: Deployment, request: RoutingRequest) -> float | None:
    """The estimated cost of this request in micro-dollars, at the price of a prompt of its length; None: unknown."""
    paid, made = deployment.input_rate, deployment.output_rate
    if paid is None or made is None:
        return None
    for above, dearer_paid, dearer_made in deployment.tier_rates:
        if request.prompt_tokens > above:
            paid, made = dearer_paid, dearer_made
    return request.prompt_tokens * paid + request.completion_tokens * made


def _relative(amounts: Sequence[float | None], grain: float) -> list[float | None]:
    """Each amount's part of the lowest: 1 for the lowest, towards 0 for the others."""
    lowest = min((amount for amount in amounts if amount is not None), default=0.0) + grain
    return [None if amount is None else lowest / (amount + grain) for amount in amounts]
