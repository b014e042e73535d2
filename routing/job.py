"""The accepted unit of work and its attempts, as every module above sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class JobStatus(StrEnum):
    """A job's state, in OpenAI's words."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ServiceTier(StrEnum):
    """How urgent a job is; its queue serves lower `priority` numbers first."""

    PRIORITY = "priority"
    DEFAULT = "default"
    FLEX = "flex"
    BATCH = "batch"

    @property
    def priority(self) -> int:
        """The Redis transport's priority step, 0 first."""
        return _PRIORITIES[self]


_PRIORITIES = {ServiceTier.PRIORITY: 0, ServiceTier.DEFAULT: 3, ServiceTier.FLEX: 6, ServiceTier.BATCH: 9}
PRIORITY_STEPS = tuple(_PRIORITIES.values())


class AttemptStatus(StrEnum):
    """How one call to one provider ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    # The worker that made the call was killed; rescue wrote this.
    LOST = "lost"
    # It was cut short, as the other of two calls had answered.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one provider. `started_at` is Unix seconds; `error` is None where it completed."""

    provider: str
    model: str
    status: AttemptStatus
    started_at: float
    duration_ms: float
    error: str | None = None
    cost_microusd: int | None = None
    # It was made beside the attempt before it, which took long.
    hedge: bool = False
    # How many characters of the answer others had said before it, which it went on with.
    continued: int = 0
    # Whose key it was made with: "tenant" for the tenant's own, empty for the shared account's.
    credential: str = ""

    def metadata(self) -> dict[str, Any]:
        """The attempt as `routing_metadata.attempts` shows it, times in ms."""
        shown: dict[str, Any] = {
            "provider": self.provider,
            "model": self.model,
            "status": self.status.value,
            "started_at": self.started_at,
            "duration": self.duration_ms,
        }
        if self.error is not None:
            shown["error"] = self.error
        if self.cost_microusd is not None:
            shown["cost_microusd"] = self.cost_microusd
        if self.hedge:
            shown["hedge"] = True
        if self.continued:
            shown["continued"] = self.continued
        if self.credential:
            shown["credential"] = self.credential
        return shown


def time_in_calls_ms(calls: Iterable[tuple[float, float, bool]]) -> float:
    """How long a job was in calls, ms: (started_at in Unix seconds, duration in ms, whether it was a hedge) of each.

    A hedge counts only for as long as it outlasted the call it was made beside.
    """
    total = end = 0.0
    for started_at, duration_ms, hedge in calls:
        own_end = started_at * 1000 + duration_ms
        total += max(own_end - end, 0.0) if hedge else duration_ms
        end = own_end
    return total


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. Cached and reasoning tokens are parts of prompt and completion, never added to them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )
