"""What a trace, or a replay of it, comes to: success, cost, latency and shares. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from routing.job import AttemptStatus, JobStatus, time_in_calls_ms
from routing.replay_world import Basis
from routing.trace import TracedAttempt, TracedJob, answered_by

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of all jobs under one policy, or as recorded. Rates and shares are 0..1."""

    name: str
    jobs: int
    completed: int
    cost_microusd: int
    # Answers whose price is not known; they are not in the cost.
    unpriced: int
    calls: int
    failed_calls: int
    # Percentile -> ms that a completed job spent in calls, failed ones included; empty where none completed.
    latency_ms: dict[int, float]
    # Provider -> its share of the answers; they sum to 1, or there are none.
    shares: dict[str, float]
    # What the calls rest on; None of what was recorded.
    rests_on: dict[str, float] | None = None

    @property
    def success_rate(self) -> float:
        """Completed jobs of all."""
        return self.completed / self.jobs if self.jobs else 0.0

    @property
    def attempts_per_job(self) -> float:
        """Calls of all providers for one job, in the mean."""
        return self.calls / self.jobs if self.jobs else 0.0

    def as_object(self) -> dict[str, Any]:
        """The figures as JSON shows them."""
        return {
            "name": self.name,
            "jobs": self.jobs,
            "completed": self.completed,
            "failed": self.jobs - self.completed,
            "success_rate": round(self.success_rate, 6),
            "cost_usd": round(self.cost_microusd / 1e6, 6),
            "unpriced_answers": self.unpriced,
            "latency_ms": {f"p{share}": round(ms, 1) for share, ms in self.latency_ms.items()},
            "attempts_per_job": round(self.attempts_per_job, 4),
            "failed_attempts": self.failed_calls,
            "share_per_provider": {provider: round(share, 6) for provider, share in self.shares.items()},
            **({} if self.rests_on is None else {"rests_on": self.rests_on}),
        }


class Tally:
    """Adds jobs up. Keeps 8 bytes of each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs = self._cost = self._unpriced = self._calls = self._failed_calls = 0
        self._latencies = array("d")
        self._answers: Counter[str] = Counter()
        self._bases: Counter[Basis] = Counter()

    def completed(self, provider: str, cost_microusd: int | None, duration_ms: float) -> None:
        """Count a job that was answered by `provider`; `duration_ms` is what all its calls took."""
        self._jobs += 1
        self._answers[provider] += 1
        self._latencies.append(duration_ms)
        if cost_microusd is None:
            self._unpriced += 1
        else:
            self._cost += cost_microusd

    def failed(self) -> None:
        """Count a job that ended without an answer."""
        self._jobs += 1

    def called(self, *, failed: bool, basis: Basis | None = None) -> None:
        """Count a call that has ended."""
        self._calls += 1
        self._failed_calls += failed
        if basis is not None:
            self._bases[basis] += 1

    def recorded(self, job: TracedJob) -> None:
        """Count a job as the trace tells it, without the calls of workers that were lost."""
        calls = [attempt for attempt in job.attempts if attempt.status is not AttemptStatus.LOST]
        for attempt in calls:
            self.called(failed=attempt.status is AttemptStatus.FAILED)
        answer = answered_by(calls)
        if job.status is not JobStatus.COMPLETED or answer is None:
            self.failed()
            return
        self.completed(answer.provider, answer.cost_microusd, _time_ms(calls))

    def result(self) -> Result:
        """The figures so far."""
        answers = self._answers.total()
        ordered = sorted(self._latencies)
        return Result(
            name=self._name,
            jobs=self._jobs,
            completed=answers,
            cost_microusd=self._cost,
            unpriced=self._unpriced,
            calls=self._calls,
            failed_calls=self._failed_calls,
            latency_ms={share: _percentile(ordered, share) for share in PERCENTILES} if ordered else {},
            shares={provider: count / answers for provider, count in sorted(self._answers.items())},
            rests_on={basis.value: round(self._bases[basis] / self._calls, 6) for basis in Basis}
            if self._bases
            else None,
        )


def _time_ms(calls: Iterable[TracedAttempt]) -> float:
    return time_in_calls_ms((call.started_at, call.duration_ms, call.hedge) for call in calls)


def _percentile(ordered: Sequence[float], share: int) -> float:
    """The nearest rank: the least value that so many percent are not above."""
    return ordered[max(ceil(len(ordered) * share / 100), 1) - 1]
