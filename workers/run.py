"""What one run of a job has done so far, and what it would tell the caller if it ended now. No I/O."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.catalogue import Deployment
from routing.errors import (
    AllProvidersFailed,
    BreakerOpen,
    CapacityExceeded,
    ContextLengthExceeded,
    DeadlineExceeded,
    JobError,
    PromptTooLong,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    RefusedByProvider,
    StreamInterrupted,
)
from routing.job import Attempt, AttemptStatus, Usage
from routing.plan import Candidate
from routing.prices import cost_microusd
from routing.spending import counted_microusd
from workers import answer
from workers.asking import prompt_tokens
from workers.call import OWN, Called
from workers.continuation import Beginning
from workers.frames import Speaker
from workers.ledger.claimed import Claimed
from workers.ledger.record import SecondUse, Told
from workers.limits import NOTHING, Lesson
from workers.live import LiveCall
from workers.providers.base import Completion
from workers.relay import Outgoing
from workers.surfaces.base import Endpoint
from workers.surfaces.registry import surface_of


@dataclass(slots=True)
class Run:
    """What one run of a job has done so far."""

    job: Claimed
    started: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    # What the last answer told of the provider's limits.
    lesson: Lesson = NOTHING
    # A second call beside the first: to which place, what its answer told, and whether it met a rate limit.
    second_place: int | None = None
    second_lesson: Lesson = NOTHING
    second_full: bool = False
    # What it used, where it came to a good answer.
    second_use: SecondUse | None = None
    # Of a streamed job: its way out, and its call under way or last made.
    outgoing: Outgoing | None = None
    # The frames of runs before this one, where it is to go on with them; what was said when its last call began.
    earlier: Sequence[bytes] = ()
    begun: Beginning | None = None
    live: LiveCall | None = None
    # What calls have used that did not answer to the end, as far as anybody knows.
    spent: Usage = field(default_factory=Usage)
    spent_microusd: int = 0
    # How long its streamed calls took to their first words, in seconds.
    first_words: list[tuple[Deployment, float]] = field(default_factory=list)
    # The same cost as budgets count it, and that of the answer; None while there is none, or none that tells its usage.
    spent_counted: int = 0
    answer_counted: int | None = None
    # When the call under way began: Unix and monotonic seconds; None between calls.
    calling: tuple[float, float] | None = None

    @property
    def candidate(self) -> Candidate:
        """Who this run calls."""
        return self.job.plan.candidates[self.job.candidate]

    @property
    def words(self) -> dict[str, Any]:
        """What every log line of the run says of it."""
        job, deployment = self.job, self.candidate.deployment
        return {
            "job_id": job.id,
            "request_id": job.request_id,
            "tenant_id": job.tenant,
            "provider": deployment.provider,
            "model": deployment.model,
        }

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
    def age_s(self) -> float:
        """Seconds since the job was accepted."""
        return self.job.age_ms / 1000 + (time.monotonic() - self.started)

    @property
    def remaining_s(self) -> float:
        """Seconds until the job's deadline; negative past it."""
        return self.job.remaining_ms / 1000 - (time.monotonic() - self.started)

    @property
    def _embeds(self) -> bool:
        """Whether it makes vectors, whose time is told by the tokens of the input."""
        return surface_of(self.job.surface).endpoint is Endpoint.EMBEDDINGS

    @property
    def tries(self) -> int:
        """Calls that this run has made to its own candidate."""
        return sum(not attempt.hedge for attempt in self.attempts)

    @property
    def cost_microusd(self) -> int:
        """What the job's calls in this run cost, in micro-dollars; what nobody knows counts as nothing."""
        answered = (attempt for attempt in self.attempts if attempt.status is AttemptStatus.COMPLETED)
        return next((attempt.cost_microusd or 0 for attempt in answered), 0) + self.spent_microusd

    @property
    def counted_microusd(self) -> int | None:
        """The same as budgets count it; None: the answer does not tell what it used."""
        answered = any(attempt.status is AttemptStatus.COMPLETED for attempt in self.attempts)
        if self.answer_counted is None:
            return None if answered else self.spent_counted
        return self.answer_counted + self.spent_counted

    @property
    def hedge_after_s(self) -> float | None:
        """How long the call that comes next may take before it is hedged; None: it is not.

        Only the plan's first candidate and its first call are, and no probe: its own outcome is wanted. Nor is a
        stream: what it has said cannot be taken back.
        """
        wait_ms = self.job.plan.hedge_after_ms
        if wait_ms is None or self.job.candidate != 0 or self.attempts or self.job.probe or self.outgoing:
            return None
        return wait_ms / 1000

    @property
    def spoke(self) -> bool:
        """Whether the caller was sent something of the answer already."""
        return self.outgoing is not None and self.outgoing.begun

    @property
    def may_go_on(self) -> bool:
        """Whether its caller wants another provider to go on with an answer that broke off."""
        return self.job.request.get("continue_on_failover") is True

    def look_back(self) -> bool:
        """Note what was said so far; whether another call can go on from there."""
        if self.may_go_on and self.outgoing is not None:
            self.begun = Beginning.of_lines((*self.earlier, *self.outgoing.lines))
        return self.begun is not None

    def begin_call(self) -> LiveCall | None:
        """Note that the candidate is being called now; returns what takes its answer while it comes in."""
        self.calling = (time.time(), time.monotonic())
        if self.outgoing is not None:
            deployment = self.candidate.deployment
            self.live = LiveCall(self.outgoing, Speaker(deployment.provider, deployment.model), self.begun)
        return self.live

    def record(self, called: Called, *, hedge: bool = False, overtaken: bool = False) -> Completion | ProviderError:
        """Note one call that has ended: the attempt, and what it tells of the deployment; returns what it met.

        `overtaken`: it is a good answer, but another one was there before it.
        """
        deployment, result = called.candidate.deployment, called.result
        duration_ms = round(called.duration_ms, 1)
        failure = result if isinstance(result, ProviderError) else None
        good = AttemptStatus.CANCELLED if overtaken else AttemptStatus.COMPLETED
        if self.calling is not None and self.live is not None and self.live.spoke_at is not None:
            self.first_words.append((deployment, self.live.spoke_at - self.calling[1]))
        self.calling = None
        cost = _cost(deployment, result.usage) if isinstance(result, Completion) else self._spend(deployment)
        self.attempts.append(
            Attempt(
                provider=deployment.provider,
                model=deployment.model,
                status=good if failure is None else AttemptStatus.FAILED,
                started_at=round(called.started_at, 3),
                duration_ms=duration_ms,
                error=None if failure is None else f"{failure.code}: {failure.message}",
                cost_microusd=cost,
                hedge=hedge,
                continued=0 if self.begun is None else len(self.begun.said),
                credential=called.credential,
            )
        )
        if isinstance(result, Completion):
            self._count(counted_microusd(deployment, result.usage), result.usage, overtaken=overtaken)
            self._account(deployment.id, result.usage, cost or 0, hedge=hedge, overtaken=overtaken)
            tokens = result.usage.prompt_tokens if self._embeds else result.usage.completion_tokens
            self.evidence.append(f"{deployment.id} 1 {duration_ms} {tokens}")
        elif result.unhealthy and not (called.credential and isinstance(result, ProviderMisconfigured)):
            # That a tenant's own key is refused says nothing of what others are served.
            self.evidence.append(f"{deployment.id} {0 if result.trips else 2} {duration_ms} 0")
        if hedge:
            self.second_lesson = called.lesson
            self.second_full = isinstance(result, ProviderRateLimited)
        elif called.lesson is not NOTHING:
            self.lesson = called.lesson
        return result

    def _account(self, deployment: str, usage: Usage, cost_microusd: int, *, hedge: bool, overtaken: bool) -> None:
        """Note what a good answer used that came too late, or of the second call."""
        if overtaken:
            self.spent += usage
            self.spent_microusd += cost_microusd
        if hedge:
            self.second_use = SecondUse(deployment, not overtaken, usage, cost_microusd)

    def record_cut(
        self,
        candidate: Candidate,
        started_at: float,
        duration_ms: float,
        *,
        hedge: bool,
        cost_microusd: int | None = None,
    ) -> None:
        """Note one call that we have ended, as another one had answered, or nobody waits any more.

        What a call costs that is not streamed nobody knows then.
        """
        deployment, duration_ms = candidate.deployment, round(duration_ms, 1)
        self.attempts.append(
            Attempt(
                deployment.provider,
                deployment.model,
                AttemptStatus.CANCELLED,
                round(started_at, 3),
                duration_ms,
                cost_microusd=cost_microusd,
                hedge=hedge,
                credential=OWN if deployment.provider in self.job.own else "",
            )
        )
        self.evidence.append(f"{deployment.id} 3 {duration_ms} 0")

    def record_left(self) -> None:
        """Note the call under way as ended by us, and what it has used."""
        if self.calling is None:
            return
        started_at, began = self.calling
        self.calling = None
        cost = self._spend(self.candidate.deployment)
        self.record_cut(self.candidate, started_at, (time.monotonic() - began) * 1000, hedge=False, cost_microusd=cost)

    def _count(self, microusd: int, usage: Usage, *, overtaken: bool) -> None:
        """Note what a good answer costs budgets: one that was overtaken is paid for all the same."""
        if overtaken:
            self.spent_counted += microusd
        elif usage != Usage():
            self.answer_counted = microusd

    def _spend(self, deployment: Deployment) -> int | None:
        """Add what a call without an end has used; returns its cost in micro-dollars, None where it used nothing."""
        if self.live is None:
            return None
        used = self.live.used(prompt_tokens(self.job))
        if used == Usage():
            return None
        cost = _cost(deployment, used)
        self.spent += used
        self.spent_microusd += cost or 0
        self.spent_counted += counted_microusd(deployment, used)
        return cost

    def timing(self) -> answer.Timing:
        """Now, for the answer."""
        return answer.Timing(time.time(), (time.monotonic() - self.started) * 1000)

    @property
    def places_left(self) -> list[int]:
        """Where the job may still go, in order: those to come, then those it was not at because they had no room."""
        job = self.job
        places = (*range(job.reached + 1, len(job.plan.candidates)), *job.limited)
        left = [place for place in places if place != self.second_place]
        if self.second_place is not None and self.second_full:
            left.append(self.second_place)
        return left

    def next_candidate(self, error: ProviderError, goes_on: Callable[[Candidate], bool]) -> int | None:
        """The place of the next candidate worth trying after `error`; None when there is none.

        Where the caller has a part of the answer, it must be one that goes on with it.
        """
        places = self.places_left
        if self.spoke:
            places = [place for place in places if goes_on(self.job.plan.candidates[place])]
        return self.job.plan.next_place(self.job.candidate, error, places)

    def told(self) -> Told:
        """What the run has done and learnt, for the ledger."""
        attempts = ",".join(json.dumps(attempt.metadata()) for attempt in self.attempts)
        limits = "\n".join(lesson.words for lesson in (self.lesson, self.second_lesson) if lesson.words)
        second = "" if self.second_place is None else f"{self.second_place} {int(self.second_full)}"
        counted = self.spent_counted + (self.answer_counted or 0)
        return Told(attempts, " ".join(self.evidence), limits, second, self.spent, self.spent_microusd, counted)


def _cost(deployment: Deployment, usage: Usage) -> int | None:
    return None if deployment.price is None else cost_microusd(deployment.price, usage)


def verdict(run: Run, error: ProviderError) -> JobError:
    """What the caller is told when no candidate is left: never a provider's own 401 or 404 as if it were ours."""
    if run.spoke and run.remaining_s > 0:
        way_on = "" if run.may_go_on else '; with "continue_on_failover": true another provider goes on where one can'
        return StreamInterrupted(f"the answer broke off, and what was sent is all of it: {error.message}{way_on}")
    if isinstance(error, ProviderRefused):
        kind = PromptTooLong if isinstance(error, ContextLengthExceeded) else RefusedByProvider
        return kind(error.message, param=error.param)
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
        "(routing_metadata.attempts has every one)",
        retry_after_s=error.retry_after_s,
    )
