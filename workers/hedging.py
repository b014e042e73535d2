"""A second call beside one that takes long: the first good answer is taken, and the other call is ended."""

import time
from dataclasses import dataclass, field

import gevent
import structlog

from routing.errors import ProviderError, StoreUnavailable
from routing.hedging import stand_ins
from routing.plan import Candidate
from workers.call import Called, Calls
from workers.ledger.ledger import Ledger
from workers.providers.base import Completion
from workers.retry_budgets import RetryBudgets
from workers.run import Run

log = structlog.get_logger()


@dataclass(slots=True)
class _Leg:
    """One of the two calls, under way in a greenlet of its own."""

    candidate: Candidate
    greenlet: gevent.Greenlet
    # Unix and monotonic seconds.
    started_at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)

    def ended(self) -> Called | None:
        """What it met; None while it is under way."""
        return self.greenlet.get() if self.greenlet.ready() else None

    @property
    def has_answered(self) -> bool:
        """Whether there is a good answer."""
        called = self.ended()
        return called is not None and isinstance(called.result, Completion)


class Hedging:
    """Calls that may be hedged. One per process."""

    def __init__(self, ledger: Ledger, calls: Calls, budgets: RetryBudgets) -> None:
        self._ledger = ledger
        self._calls = calls
        self._budgets = budgets

    def attempt(self, run: Run, wait_s: float) -> Completion | ProviderError:
        """Call the run's candidate and, if it has not ended after `wait_s`, another beside it; both are recorded.

        The first good answer, else the error of the run's own candidate. A run that ends meanwhile ends both.
        """
        legs = [self._start(run, run.candidate)]
        try:
            legs[0].greenlet.join(wait_s)
            if legs[0].ended() is None and (place := self._place(run)) is not None:
                legs.append(self._start(run, run.job.plan.candidates[place]))
                run.second_place = place
            while not any(leg.has_answered for leg in legs):
                under_way = [leg.greenlet for leg in legs if leg.ended() is None]
                if not under_way:
                    break
                gevent.wait(under_way, count=1)
            return self._settle(run, legs)
        finally:
            gevent.killall([leg.greenlet for leg in legs], block=False)

    def _start(self, run: Run, candidate: Candidate) -> _Leg:
        return _Leg(candidate, gevent.spawn(self._calls.make, run.job, candidate, run.remaining_s))

    def _place(self, run: Run) -> int | None:
        """Whom to call beside the run's candidate, its permit in hand; None where nobody may be called now.

        It is a further call for the same job, as a retry is, and so the same budget bounds both.
        """
        provider, candidates = run.candidate.deployment.provider, run.job.plan.candidates
        alike = set(stand_ins(candidates))
        places = [
            place
            for place in run.places_left
            if place in alike and self._calls.can_reach(run.job, candidates[place].deployment.provider)
        ]
        if not places or not self._budgets.allows(provider):
            return None
        # Before the ledger is asked: others look at the budget meanwhile.
        self._budgets.withdraw(provider)
        place: int | None = None
        try:
            place = self._ledger.hedge(run.job.id, run.job.epoch, places)
        except StoreUnavailable:
            pass
        finally:
            if place is None:
                self._budgets.refund(provider)
        if place is None:
            return None
        log.info(
            "attempt.hedged",
            job_id=run.job.id,
            first=run.candidate.deployment.id,
            second=candidates[place].deployment.id,
        )
        return place

    @staticmethod
    def _settle(run: Run, legs: list[_Leg]) -> Completion | ProviderError:
        """Record both calls, and say what came of them."""
        winner = next((leg for leg in legs if leg.has_answered), None)
        for leg in legs:
            hedge, called = leg is not legs[0], leg.ended()
            if called is None:
                run.record_cut(leg.candidate, leg.started_at, (time.monotonic() - leg.began) * 1000, hedge=hedge)
            else:
                run.record(called, hedge=hedge, overtaken=leg.has_answered and leg is not winner)
        decisive: Called = (winner or legs[0]).greenlet.get()
        return decisive.result
