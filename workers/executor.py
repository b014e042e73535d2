"""One run of a job: claim it, call its candidate, then finish it, hand it over or defer it."""

import random
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import gevent
import structlog

from routing import retry
from routing.errors import (
    BreakerOpen,
    DeadlineExceeded,
    NextStep,
    ProviderError,
    ProviderRateLimited,
    ProviderUnreachable,
    StoreUnavailable,
)
from routing.job import JobStatus, Usage
from workers import answer
from workers.call import Calls
from workers.hedging import Hedging
from workers.leases import LeaseLost, Leases
from workers.ledger.claimed import Detour
from workers.ledger.ledger import AFRESH, Ledger
from workers.ledger.record import Frames, Outcome, Room
from workers.metrics.instruments import Instruments
from workers.providers.base import Completion
from workers.relay import Relay
from workers.retry_budgets import RetryBudgets
from workers.run import Run, verdict

log = structlog.get_logger()

T = TypeVar("T")

# How often a step of the ledger is tried again while Redis is away.
STORE_RETRY_S = 0.25


class Executor:
    """Runs jobs. One per process; any number of greenlets are inside it at once."""

    def __init__(
        self,
        ledger: Ledger,
        leases: Leases,
        calls: Calls,
        hedging: Hedging,
        budgets: RetryBudgets,
        relay: Relay,
        rng: random.Random,
        instruments: Instruments,
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._calls = calls
        self._hedging = hedging
        self._budgets = budgets
        self._relay = relay
        self._rng = rng
        self._instruments = instruments

    def run(self, job_id: str, epoch: int) -> None:
        """Carry one pointer to its end. A stale duplicate is dropped; a lost lease ends the run without a word."""
        job = self._ledger.claim(job_id, epoch, crowded=self._calls.crowded)
        if job is None:
            return
        run = Run(job)
        way_out = nullcontext() if job.streamed is None else self._relay.open(job_id, epoch, job.streamed)
        try:
            with way_out as run.outgoing, self._leases.holding(job_id, epoch):
                if job.detour is not None:
                    self._go_round(run, job.detour)
                elif run.spoke:
                    self._go_on(run)
                else:
                    self._work(run)
        except LeaseLost:
            log.info("job.run_ended", job_id=job_id, why="lease lost")
            self._settle(run)
        finally:
            self._instruments.ran(run)

    def _go_round(self, run: Run, detour: Detour) -> None:
        """Give the job to who may be called instead, at once or when that is; no attempt is spent."""
        if detour.full:
            self._fail(run, ProviderRateLimited("nobody has room", retry_after_s=detour.wait_s))
            return
        decision = retry.around_breaker(
            detour.wait_s, remaining_s=run.remaining_s, defers=run.job.defers, rng=self._rng
        )
        log.info(
            "job.went_round",
            **run.words,
            next=decision.step.value,
            why="it has no room" if run.job.candidate in run.job.limited else decision.reason,
        )
        match decision.step:
            case NextStep.FAILOVER:
                self._hand_over(run, detour.place)
            case NextStep.DEFER:
                self._defer(run, decision.delay_s, detour.place)
            case _:
                error = BreakerOpen(f"{run.candidate.deployment.id}: {decision.reason}", retry_after_s=detour.wait_s)
                self._fail(run, error)

    def _go_on(self, run: Run) -> None:
        """Go on with an answer of which the caller has a part, here or with who can; else end it."""
        if run.may_go_on:
            run.earlier = self._ledger.streams.all_frames(run.job.id, run.job.tenant)
        if run.look_back() and self._calls.goes_on(run.candidate):
            return self._work(run)
        broken = ProviderUnreachable("what relayed it was lost")
        place = run.next_candidate(broken, self._calls.goes_on) if run.begun is not None else None
        return self._fail(run, broken) if place is None else self._hand_over(run, place)

    def _work(self, run: Run) -> None:
        """Call this run's candidate until it answers or something else must be done."""
        provider = run.candidate.deployment.provider
        self._budgets.begun(provider, again=run.earlier_tries > 0)
        while True:
            result = self._attempt(run)
            if isinstance(result, Completion):
                return self._complete(run, result)
            if run.spoke and not run.look_back():
                return self._fail(run, result)
            place = run.next_candidate(result, self._calls.goes_on)
            decision = self._decide(run, result, has_next=place is not None)
            log.info(
                "attempt.failed",
                **run.words,
                attempt=len(run.attempts),
                error=result.code,
                next=decision.step.value,
                why=decision.reason,
            )
            match decision.step:
                case NextStep.RETRY:
                    self._budgets.withdraw(provider)
                    gevent.sleep(decision.delay_s)
                case NextStep.FAILOVER if place is not None:
                    return self._hand_over(run, place)
                case NextStep.DEFER if isinstance(result, ProviderRateLimited):
                    return self._find_room(run, result, decision.delay_s)
                case NextStep.DEFER:
                    return self._defer(run, decision.delay_s, AFRESH if decision.afresh else run.job.candidate)
                case _:
                    return self._fail(run, result)

    def _decide(self, run: Run, error: ProviderError, *, has_next: bool) -> retry.Decision:
        deployment = run.candidate.deployment
        decision = retry.decide(
            error,
            tries=run.tries,
            earlier=run.earlier_tries,
            max_tries=run.job.max_tries or retry.DEFAULT_TRIES,
            remaining_s=run.remaining_s,
            has_next=has_next,
            defers=run.job.defers,
            rng=self._rng,
            probe=run.job.probe,
            budget=self._budgets.allows(deployment.provider) and self._may_repeat(run),
            shut=run.job.guarded and self._ledger.saw_shut(deployment.id, run.started),
        )
        if decision.step is not NextStep.STOP:
            return decision
        return retry.give_up_or_wait(error, decision, rounds=run.job.rounds, remaining_s=run.remaining_s, rng=self._rng)

    def _may_repeat(self, run: Run) -> bool:
        """Whether the candidate may be called again: not if it cannot go on with what it has begun."""
        return run.begun is None or self._calls.goes_on(run.candidate)

    def _attempt(self, run: Run) -> Completion | ProviderError:
        """One call to the candidate, perhaps with a second beside it, recorded; what it met comes back as a value."""
        wait_s = run.hedge_after_s
        if wait_s is not None:
            return self._hedging.attempt(run, wait_s)
        live = run.begin_call()
        return run.record(self._calls.make(run.job, run.candidate, run.remaining_s, live))

    def _complete(self, run: Run, completion: Completion) -> None:
        if run.begun is not None:
            completion = run.begun.whole(completion)
        body = answer.completed(run.job, completion, run.attempts, run.timing())
        self._finish(run, JobStatus.COMPLETED, 200, body, completion.usage)

    def _fail(self, run: Run, error: ProviderError) -> None:
        told = verdict(run, error)
        status = JobStatus.EXPIRED if isinstance(told, DeadlineExceeded) else JobStatus.FAILED
        body = answer.failed(run.job, told, run.attempts, run.timing())
        self._finish(run, status, told.status, body, Usage())

    def _finish(self, run: Run, status: JobStatus, http_status: int, body: str, usage: Usage) -> None:
        frames = Frames() if run.outgoing is None else run.outgoing.rest()
        used, cost = usage + run.spent, run.cost_microusd
        outcome = Outcome(
            status, http_status, body, run.told(), used, cost, frames, run.counted_microusd, run.second_use
        )
        if self._store(run, lambda: self._ledger.finish(run.job.id, run.job.epoch, outcome)):
            self._instruments.ended(run, status, used, cost)
            log.info(
                "job.ended",
                **run.words,
                status=status.value,
                http_status=http_status,
                attempts=len(run.attempts),
                took_s=round(run.age_s, 3),
            )

    def _settle(self, run: Run) -> None:
        """Account for what was used by a run whose job was cancelled under it."""
        run.record_left()
        told, cost = run.told(), run.cost_microusd
        if told.attempts:
            self._store(run, lambda: self._ledger.settle(run.job.id, run.job.epoch, told, run.spent, cost))

    def _hand_over(self, run: Run, place: int) -> None:
        told = run.told()
        if self._store(run, lambda: self._ledger.hand_over(run.job.id, run.job.epoch, place, told)):
            log.info("job.handed_over", **run.words, to=run.job.plan.candidates[place].deployment.id)

    def _defer(self, run: Run, delay_s: float, place: int) -> None:
        told, delay_ms = run.told(), int(delay_s * 1000)
        if self._store(run, lambda: self._ledger.defer(run.job.id, run.job.epoch, place, delay_ms, told)):
            log.info("job.deferred", **run.words, wait_s=round(delay_s, 3))

    def _find_room(self, run: Run, error: ProviderRateLimited, delay_s: float) -> None:
        """After a rate limit: to whoever has room, else wait for who has it soonest; fail if that is too late."""
        told = run.told()
        # A gate keeps everybody back, this job in its turn; else the wait is the job's own.
        own_ms = 0 if run.lesson.gated else int(delay_s * 1000)
        became = self._store(run, lambda: self._ledger.find_room(run.job.id, run.job.epoch, own_ms, told))
        if not became:
            return
        room, wait_s = became
        log.info("job.found_room", **run.words, room=room.value, wait_s=round(wait_s, 3))
        if room is Room.FULL:
            self._fail(run, ProviderRateLimited(error.message, retry_after_s=wait_s))

    def _store(self, run: Run, step: Callable[[], T]) -> T:
        """Take a step of the ledger, waiting for Redis as long as it takes: what is stored here was paid for.

        It ends when Redis is back: the step is taken then, or refused (its result is falsy) because the rescue has
        given the job to another run; a lost lease ends it, too.
        """
        while True:
            try:
                result = step()
            except StoreUnavailable:
                gevent.sleep(STORE_RETRY_S)
                continue
            if not result:
                log.info("job.run_ended", job_id=run.job.id, why="another run holds the job")
            return result
