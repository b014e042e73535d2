"""Runs a trace through a policy: a discrete-event simulation by the real planner and the real retry decision. Pure.

The model, with what it assumes and leaves out, is told in docs/routing.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random

from config.breaker import BreakerConfig
from config.policy import PolicyConfig
from config.tenant import Tenant
from routing import retry
from routing.catalogue import Deployment
from routing.errors import NextStep, NoCandidates, PatienceEnded, ProviderError, ProviderRateLimited
from routing.health import UNKNOWN, Health
from routing.job import Usage
from routing.plan import Plan
from routing.prices import cost_microusd
from routing.replay_breakers import ReplayBreakers
from routing.replay_planning import Replanner, asked
from routing.replay_tally import Result, Tally
from routing.replay_world import Basis, World
from routing.snapshot import Snapshot
from routing.trace import TracedJob

# How old a plan's snapshot may be, as in an API process.
_SNAPSHOT_S = 1.0
# What routers knew when a trace begins is not in it: so many of each deployment's first calls are taken as known.
_KNOWN_CALLS = 10


@dataclass(slots=True, eq=False)
class _Carried:
    """A job on its way."""

    job: TracedJob
    plan: Plan
    deadline: float
    place: int = 0
    # Changes whenever the job changes hands; calls and breakers of one run.
    run: int = 0
    # Calls to this candidate, in this run and in those before it.
    tries: int = 0
    earlier: int = 0
    defers: int = 0
    probe: bool = False
    # Calls to each deployment, and what all of them took.
    made: dict[str, int] = field(default_factory=dict)
    duration_ms: float = 0.0

    @property
    def deployment(self) -> Deployment:
        return self.plan.candidates[self.place].deployment


@dataclass(frozen=True, slots=True)
class _Ended:
    """A call as it ended in the replay. `tokens` are the drawn call's, as `duration_ms` is."""

    duration_ms: float
    error: type[ProviderError] | None
    tokens: int | None
    basis: Basis


class Replay:
    """One run of a trace through `policy`. The same seed and trace give the same figures."""

    def __init__(
        self,
        world: World,
        policy: PolicyConfig,
        tenants: Mapping[str, Tenant],
        breaker: BreakerConfig,
        seed: int = 0,
    ) -> None:
        """`world` has learnt the trace and is settled."""
        self._world = world
        self._planner = Replanner(policy, tenants, world.deployments)
        self._breakers = ReplayBreakers(breaker)
        self._seed = seed
        # Lots and back-off draw from streams of their own: a wait more moves no other job's lot.
        self._lots = Random(f"lots {seed}")  # noqa: S311 - keeps no secret
        self._waits = Random(f"waits {seed}")  # noqa: S311 - as above
        self._health: dict[str, Health] = {}
        self._snapshot = Snapshot(taken_at=-inf)
        self._tally = Tally(policy.name)
        # What happens when: a job's call ends, or (None) the job goes on.
        self._events: list[tuple[float, int, _Carried, _Ended | None]] = []
        self._numbers = count(1)

    def run(self, jobs: Iterable[TracedJob]) -> Result:
        """The figures of `jobs`, which come in the order of their `created_at`; each ends exactly once."""
        for number, job in enumerate(jobs):
            if number == 0:
                self._remember(job.created_at)
            self._advance(job.created_at)
            self._arrive(job)
        self._advance(inf)
        return self._tally.result()

    def _remember(self, start: float) -> None:
        """Begin with evidence as if each deployment's first recorded calls had been made just before."""
        for deployment_id, call in self._world.first_calls(_KNOWN_CALLS):
            if call.error is None or call.error.unhealthy:
                self._evidence(deployment_id, call.error is None, call.duration_ms, call.tokens, start)

    def _advance(self, to: float) -> None:
        """Let everything happen that comes before `to`."""
        while self._events and self._events[0][0] <= to:
            now, _, carried, ended = heappop(self._events)
            if ended is not None:
                self._call_ended(carried, ended, now)
            elif carried.tries:
                self._call(carried, now)
            else:
                self._claim(carried, now)

    def _later(self, when: float, carried: _Carried, ended: _Ended | None = None) -> None:
        heappush(self._events, (when, next(self._numbers), carried, ended))

    def _arrive(self, job: TracedJob) -> None:
        now = job.created_at
        if now - self._snapshot.taken_at >= _SNAPSHOT_S:
            self._snapshot = Snapshot(dict(self._health), now, dict(self._breakers.shut))
        try:
            plan = self._planner.plan(job, self._snapshot, now, self._lots)
        except NoCandidates:
            self._tally.failed()
            return
        self._claim(_Carried(job, plan, now + job.deadline_s), now)

    def _claim(self, carried: _Carried, now: float) -> None:
        """Begin a run: past the deadline it ends, and around an open breaker it goes."""
        carried.run, carried.tries, carried.probe = next(self._numbers), 0, False
        if now >= carried.deadline:
            self._tally.failed()
            return
        if carried.job.circuit_breaker:
            if self._breakers.wait_s(carried.deployment, now) != 0:
                self._go_round(carried, now)
                return
            carried.probe = self._breakers.let_through(carried.deployment, carried.run, now)
        self._call(carried, now)

    def _go_round(self, carried: _Carried, now: float) -> None:
        """To the first later candidate that may be called, else to the one that may be soonest; as claim.lua does."""
        waits = [
            (self._breakers.wait_s(candidate.deployment, now), place)
            for place, candidate in enumerate(carried.plan.candidates)
            if place >= carried.place
        ]
        wait_s, place = min(waits, key=lambda row: (inf if row[0] is None else row[0], row[1]))
        decision = retry.around_breaker(
            wait_s, remaining_s=carried.deadline - now, defers=carried.defers, rng=self._waits
        )
        if decision.step is NextStep.STOP:
            self._tally.failed()
            return
        carried.place = place
        if decision.step is NextStep.FAILOVER:
            self._claim(carried, now)
        else:
            carried.defers += 1
            self._later(now + decision.delay_s, carried)

    def _call(self, carried: _Carried, now: float) -> None:
        """Call the candidate; the deadline cuts a call short as it does a real one."""
        deployment_id = carried.deployment.id
        number = carried.made.get(deployment_id, 0)
        carried.made[deployment_id] = number + 1
        carried.tries += 1
        met, basis = self._world.outcome(carried.job, deployment_id, number, now, self._seed)
        duration_ms, error = met.duration_ms, met.error
        remaining_ms = (carried.deadline - now) * 1000
        if duration_ms > remaining_ms:
            duration_ms, error = remaining_ms, PatienceEnded
        ended = _Ended(duration_ms, error, met.tokens, basis)
        self._later(now + duration_ms / 1000, carried, ended)

    def _call_ended(self, carried: _Carried, ended: _Ended, now: float) -> None:
        carried.duration_ms += ended.duration_ms
        self._tally.called(failed=ended.error is not None, basis=ended.basis)
        self._learn(carried, ended, now)
        if ended.error is None:
            cost = _cost(carried, ended)
            self._tally.completed(carried.deployment.provider, cost, carried.duration_ms)
        else:
            self._fail(carried, ended.error("replayed"), now)

    def _learn(self, carried: _Carried, ended: _Ended, now: float) -> None:
        """Record a call as evidence and for the breakers, as the ledger would."""
        error = ended.error
        if error is not None and not error.unhealthy:
            return
        self._evidence(carried.deployment.id, error is None, ended.duration_ms, ended.tokens, now)
        if error is None or error.trips:
            self._breakers.record(
                carried.deployment, carried.run, failed=error is not None, duration_ms=ended.duration_ms, now=now
            )

    def _evidence(self, deployment_id: str, succeeded: bool, ms: float, tokens: int | None, now: float) -> None:  # noqa: FBT001 - as Health.after has it
        known = self._health.get(deployment_id, UNKNOWN)
        self._health[deployment_id] = known.after(succeeded, ms, tokens or 0, now)

    def _fail(self, carried: _Carried, error: ProviderError, now: float) -> None:
        """What the executor does after a failed attempt."""
        place = carried.plan.next_place(carried.place, error)
        decision = retry.decide(
            error,
            tries=carried.tries,
            earlier=carried.earlier,
            max_tries=carried.job.max_tries or retry.DEFAULT_TRIES,
            remaining_s=carried.deadline - now,
            has_next=place is not None,
            defers=carried.defers,
            rng=self._waits,
            probe=carried.probe,
        )
        match decision.step:
            case NextStep.RETRY:
                self._later(now + decision.delay_s, carried)
            case NextStep.FAILOVER if place is not None:
                carried.place, carried.earlier = place, 0
                self._claim(carried, now)
            # After a rate limit the ledger asks who has room: here everybody has.
            case NextStep.DEFER if isinstance(error, ProviderRateLimited) and place is not None:
                carried.place, carried.earlier = place, 0
                self._claim(carried, now)
            case NextStep.DEFER if decision.delay_s < carried.deadline - now:
                carried.defers += 1
                # A rate limit spends no try.
                carried.earlier += carried.tries - isinstance(error, ProviderRateLimited)
                carried.tries = 0
                self._later(now + decision.delay_s, carried)
            case _:
                self._tally.failed()


def _cost(carried: _Carried, ended: _Ended) -> int | None:
    """What an answer costs: the job's own tokens wherever they are known, at the price it was planned with.

    Cached tokens are counted only where the same deployment answered, since another one has another cache.
    """
    price, used = carried.deployment.price, carried.job.usage
    if price is None:
        return None
    if used is None:
        wanted = asked(carried.job)
        return cost_microusd(price, Usage(wanted.prompt_tokens, 0 if wanted.embeds else ended.tokens or 0))
    if ended.basis is not Basis.OWN:
        used = Usage(used.prompt_tokens, used.completion_tokens, 0, used.reasoning_tokens)
    return cost_microusd(price, used)
