"""What one run of a job has done so far, and what it would tell the caller if it ended now. No I/O."""

import json
import time
from dataclasses import dataclass, field

from routing.errors import (
    AllProvidersFailed,
    BreakerOpen,
    CapacityExceeded,
    DeadlineExceeded,
    JobError,
    ProviderError,
    ProviderRateLimited,
    ProviderRefused,
    RefusedByProvider,
)
from routing.job import Attempt, AttemptStatus, Usage
from routing.plan import Candidate
from routing.prices import cost_microusd
from workers import answer
from workers.ledger.record import Claimed, Told
from workers.limits import NOTHING, Lesson
from workers.providers.base import Completion


@dataclass(slots=True)
class Run:
    """What one run of a job has done so far."""

    job: Claimed
    started: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    # What the last answer told of the provider's limits.
    lesson: Lesson = NOTHING

    @property
    def candidate(self) -> Candidate:
        """Who this run calls."""
        return self.job.plan.candidates[self.job.candidate]

    @property
    def earlier_tries(self) -> int:
        """Calls that earlier runs of the job made to this candidate in vain; a rate limit spends no try."""
        if not self.job.defers:
            return 0
        deployment = self.candidate.deployment
        return sum(
            attempt["status"] == AttemptStatus.FAILED
            and (attempt["provider"], attempt["model"]) == (deployment.provider, deployment.model)
            and not attempt["error"].startswith(f"{ProviderRateLimited.code}:")
            for attempt in json.loads(f"[{self.job.attempts}]")
        )

    @property
    def remaining_s(self) -> float:
        """Seconds until the job's deadline; negative past it."""
        return self.job.remaining_ms / 1000 - (time.monotonic() - self.started)

    def record(self, result: Completion | ProviderError, started_at: float, duration_ms: float) -> None:
        """Note one call to the candidate: the attempt, and what it tells of the deployment's health."""
        deployment = self.candidate.deployment
        duration_ms = round(duration_ms, 1)
        failure = result if isinstance(result, ProviderError) else None
        self.attempts.append(
            Attempt(
                provider=deployment.provider,
                model=deployment.model,
                status=AttemptStatus.COMPLETED if failure is None else AttemptStatus.FAILED,
                started_at=round(started_at, 3),
                duration_ms=duration_ms,
                error=None if failure is None else f"{failure.code}: {failure.message}",
                cost_microusd=self._cost(result.usage) if isinstance(result, Completion) else None,
            )
        )
        if isinstance(result, Completion):
            self.evidence.append(f"{deployment.id} 1 {duration_ms} {result.usage.completion_tokens}")
        elif result.unhealthy:
            self.evidence.append(f"{deployment.id} {0 if result.trips else 2} {duration_ms} 0")

    def timing(self) -> answer.Timing:
        """Now, for the answer."""
        return answer.Timing(time.time(), (time.monotonic() - self.started) * 1000)

    def next_candidate(self, error: ProviderError) -> int | None:
        """The place of the next candidate worth trying after `error`; None when there is none.

        After those still to come, the ones it was not at because they had no room.
        """
        plan, job = self.job.plan, self.job
        return plan.next_place(job.candidate, error, (*range(job.reached + 1, len(plan.candidates)), *job.limited))

    def told(self) -> Told:
        """What the run has done and learnt, for the ledger."""
        attempts = ",".join(json.dumps(attempt.metadata()) for attempt in self.attempts)
        return Told(attempts, " ".join(self.evidence), self.lesson.words)

    def _cost(self, usage: Usage) -> int | None:
        price = self.candidate.deployment.price
        return None if price is None else cost_microusd(price, usage)


def verdict(run: Run, error: ProviderError) -> JobError:
    """What the caller is told when no candidate is left: never a provider's own 401 or 404 as if it were ours."""
    if isinstance(error, ProviderRefused):
        return RefusedByProvider(error.message, param=error.param)
    if isinstance(error, ProviderRateLimited):
        return CapacityExceeded(
            "every provider for this model is at its rate limit until after the job's deadline",
            retry_after_s=error.retry_after_s,
        )
    if isinstance(error, BreakerOpen):
        return AllProvidersFailed(f"no provider may be called: {error.message}", retry_after_s=error.retry_after_s)
    if run.remaining_s <= 0:
        return DeadlineExceeded("the job's deadline came before an answer did")
    return AllProvidersFailed(
        f"no provider could answer; the last error, from {run.candidate.deployment.id}, was: {error.message} "
        "(routing_metadata.attempts has every one)"
    )
