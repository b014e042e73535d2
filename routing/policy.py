"""How deployments are compared: a policy's score of each, from cost, latency and uptime. Orders nothing; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.policy import PolicyConfig
from routing.catalogue import Deployment
from routing.health import Snapshot
from routing.request import RoutingRequest

# How many tokens an answer is taken to have; less where max_tokens says so.
_EXPECTED_COMPLETION_TOKENS = 256
# Differences of this size do not matter: they keep the ratios below finite and calm.
_COST_GRAIN_MICROUSD = 1.0
_LATENCY_GRAIN_MS = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The three terms of one deployment's score, each 0..1 and the higher the better."""

    cost: float
    latency: float
    uptime: float
    # Whether it keeps the policy's min_uptime and max_latency, as far as its latency is known.
    within_bounds: bool
    # What the terms rest on: micro-dollars for this request, ms; None where it is not known.
    cost_microusd: float | None = None
    latency_ms: float | None = None


def parts_of(
    deployments: Sequence[Deployment], request: RoutingRequest, policy: PolicyConfig, snapshot: Snapshot, now: float
) -> list[Parts]:
    """The parts of each deployment, in order; cost and latency are relative to the best of them.

    cost = (cheapest + 1) / (cost + 1), in micro-dollars estimated for this request. An unknown price counts as the
    dearest known one: it is never taken for free. latency = (fastest + 10) / (latency + 10), in ms; an unknown latency
    takes the mean of the known parts. Where no price (or no latency) is known at all, that part is 1 for everyone.
    """
    health = [snapshot.of(deployment.id) for deployment in deployments]
    latencies = [known.speed.mean_ms if known.speed.known else None for known in health]
    uptimes = [known.uptime(now) for known in health]
    costs = [_cost(deployment, request) for deployment in deployments]
    cost_parts = _relative(costs, _COST_GRAIN_MICROUSD)
    latency_parts = _relative(latencies, _LATENCY_GRAIN_MS)
    dearest = min((part for part in cost_parts if part is not None), default=1.0)
    known_latency = [part for part in latency_parts if part is not None]
    usual = sum(known_latency) / len(known_latency) if known_latency else 1.0
    slowest_ms = float("inf") if policy.max_latency_s is None else policy.max_latency_s * 1000
    return [
        Parts(
            cost=dearest if cost is None else cost,
            latency=usual if latency is None else latency,
            uptime=uptime,
            within_bounds=uptime >= policy.min_uptime and (latency_ms is None or latency_ms <= slowest_ms),
            cost_microusd=cost_microusd,
            latency_ms=latency_ms,
        )
        for cost, latency, uptime, latency_ms, cost_microusd in zip(
            cost_parts, latency_parts, uptimes, latencies, costs, strict=True
        )
    ]


def score(policy: PolicyConfig, parts: Parts) -> float:
    """The weighted mean of the parts, 0..1."""
    weights = policy.weights
    total = weights.cost * parts.cost + weights.latency * parts.latency + weights.uptime * parts.uptime
    # The weights sum to 1 only within the loader's tolerance.
    return min(total, 1.0)


def _cost(deployment: Deployment, request: RoutingRequest) -> float | None:
    """The estimated cost of this request in micro-dollars, at the price of a short prompt; None: unknown."""
    if deployment.input_rate is None or deployment.output_rate is None:
        return None
    completion = _EXPECTED_COMPLETION_TOKENS
    if request.max_tokens is not None:
        completion = min(completion, request.max_tokens)
    return request.prompt_tokens * deployment.input_rate + completion * deployment.output_rate


def _relative(amounts: Sequence[float | None], grain: float) -> list[float | None]:
    """Each amount's part of the lowest: 1 for the lowest, towards 0 for the others."""
    lowest = min((amount for amount in amounts if amount is not None), default=0.0) + grain
    return [None if amount is None else lowest / (amount + grain) for amount in amounts]
