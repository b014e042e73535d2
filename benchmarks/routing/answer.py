"""What came of one request under one strategy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a strategy ended a request: answered by `provider`, or by nobody (None), after `calls` provider calls."""

    provider: str | None
    calls: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    # What the provider calls took together, as the gateway tells it; None where there is no gateway.
    calls_ms: float | None = None
    # Why there is no answer.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with its times: seconds since the start at which it came due, ms until its end."""

    due_s: float
    latency_ms: float
    outcome: Outcome
    # At the prices of the moment it came due; micro-dollars.
    cost_microusd: float = 0.0

    @property
    def good(self) -> bool:
        """Whether somebody answered it."""
        return self.outcome.provider is not None

    @property
    def first_call(self) -> bool:
        """Whether the first provider asked was the one that answered."""
        return self.good and self.outcome.calls == 1
