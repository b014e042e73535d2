"""The accepted unit of work and its attempts, as every module above sees them."""

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
        return shown


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. Cached and reasoning tokens are parts of prompt and completion, never added to them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
