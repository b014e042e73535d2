"""What a scenario is: how each provider stands at each second, and what a router should make of it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

# Every answer has this text, so that its tokens, and with them its cost, do not depend on who gave it.
ANSWER_TEXT = "The queue keeps what was accepted, and the router finds somebody who answers it. " * 3


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Condition:
    """How one provider stands at a moment; its latency is `latency_ms` and up to `jitter_ms` more."""

    latency_ms: float
    price: Price
    jitter_ms: float = 20.0
    # The status it fails with; None: it works.
    fails_with: int | None = None
    requests_per_minute: int | None = None
    concurrency: int | None = None

    def behaviour(self) -> dict[str, Any]:
        """The condition as the sandbox's control route takes it (docs/sandbox.md)."""
        told: dict[str, Any] = {
            "latency_ms": self.latency_ms,
            "latency_jitter_ms": self.jitter_ms,
            "text": ANSWER_TEXT.strip(),
        }
        if self.fails_with is not None:
            told |= {"fault": "status", "status": self.fails_with}
        limits = {"requests_per_minute": self.requests_per_minute, "concurrency": self.concurrency}
        if known := {name: value for name, value in limits.items() if value is not None}:
            told["limits"] = known
        return told


@dataclass(frozen=True, slots=True)
class Step:
    """From second `at_s` on, `provider` stands so."""

    at_s: float
    provider: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story of a few providers, told in seconds since its start."""

    name: str
    story: str
    # How each provider stands at the start, in the operator's order of preference.
    start: Mapping[str, Condition]
    steps: tuple[Step, ...]
    seconds: float
    # The provider the trouble is with, and when it begins and ends. Load should leave it, then come back.
    favourite: str
    trouble: tuple[float, float]
    # Whether there is a time to shift, and one to return; a trouble that lasts has neither.
    moves: bool = True
    # The policy the product is asked to route by; the oracle goes by price where that is what it is about.
    policy: str = "balanced"
    cheapest_is_best: bool = False

    def at(self, second: float) -> Mapping[str, Condition]:
        """How every provider stands at `second`."""
        conditions = dict(self.start)
        for step in self.steps:
            if step.at_s <= second:
                conditions[step.provider] = step.condition
        return conditions

    @property
    def settled(self) -> tuple[float, float]:
        """The second half of the trouble: whoever adapts has done so by then."""
        begin, end = self.trouble
        return (begin + end) / 2, end

    def scaled(self, seconds: float) -> "Scenario":
        """The same story, told in `seconds`."""
        factor = seconds / self.seconds
        begin, end = self.trouble
        return replace(
            self,
            seconds=seconds,
            steps=tuple(replace(step, at_s=step.at_s * factor) for step in self.steps),
            trouble=(begin * factor, end * factor),
        )
