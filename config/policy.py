"""How candidates are ordered: a named policy of policies/routing.json."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PolicyWeights:
    """The share of each term in a candidate's score; they sum to 1."""

    cost: float
    latency: float
    uptime: float


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """A policy: weights, and the bounds a deployment must keep to be preferred."""

    name: str
    strategy: str
    weights: PolicyWeights
    # 0..1: deployments below it are ordered last.
    min_uptime: float = 0.0
    # Deployments slower than this are ordered last; None: no bound.
    max_latency_s: float | None = None
    # 0..1: how often somebody who is not known now is tried first; 0: never.
    exploration: float = 0.0
    # 0..1: a call that takes longer than this share of its deployment's calls do is hedged; None: none is.
    hedge: float | None = None
    description: str = field(default="", compare=False)


# What a policy explores that does not say.
DEFAULT_EXPLORATION = 0.05
# What `"hedge": true` means.
DEFAULT_HEDGE = 0.95
# The strategies the router knows, and their weights where a policy gives none.
DEFAULT_WEIGHTS = {
    "balanced": PolicyWeights(cost=0.3, latency=0.4, uptime=0.3),
    "cost-optimized": PolicyWeights(cost=0.7, latency=0.1, uptime=0.2),
    "performance-first": PolicyWeights(cost=0.1, latency=0.6, uptime=0.3),
}
