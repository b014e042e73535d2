"""What providers did while a trace was recorded, and so what a call that nobody made would have met. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

from routing.catalogue import Deployment
from routing.errors import (
    ContextLengthExceeded,
    MalformedAnswer,
    NotExpressible,
    ProviderError,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from routing.job import AttemptStatus
from routing.trace import TracedAttempt, TracedJob, answered_by, measured_tokens

# Calls this far apart in time are near each other; as long as half of what health remembers.
NEAR_S = 300.0
# Of the near calls, so many before and so many after are drawn from.
_NEIGHBOURS = 25

_ERRORS: dict[str, type[ProviderError]] = {
    str(error.code): error
    for error in (
        *(ProviderUnreachable, ProviderTimeout, ProviderFailed, MalformedAnswer, ProviderRateLimited),
        *(ProviderMisconfigured, ProviderRefused, ContextLengthExceeded, NotExpressible),
    )
}


class Basis(StrEnum):
    """What a simulated call rests on, the best first."""

    # The job's own call to this deployment, as it was recorded.
    OWN = "own"
    # A call of another job to this deployment, less than NEAR_S away.
    NEAR = "near"
    # A call of another job to this deployment, the nearest there are.
    FAR = "far"
    # This deployment was never called: a call to any other, nearby in time.
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Call:
    """What one call met. `error` is None where it answered, `tokens` (its duration's measure) None where not known."""

    started_at: float
    duration_ms: float
    error: type[ProviderError] | None
    tokens: int | None


class World:
    """The recorded calls by deployment, in time. Learns a trace's jobs, is settled, and then asked."""

    def __init__(self) -> None:
        self._calls: dict[str, list[Call]] = {}
        self._everyones: list[Call] = []
        self._starts: dict[str, list[float]] = {}
        self._all_starts: list[float] = []
        # As it was seen last, with its price.
        self.deployments: dict[str, Deployment] = {}

    def learn(self, job: TracedJob) -> None:
        """Take in a job: who could serve it at which price, and what its calls met."""
        for candidate in job.candidates:
            self.deployments[candidate.deployment.id] = candidate.deployment
        answer = answered_by(job.attempts)
        for attempt in job.attempts:
            tokens = measured_tokens(job) if attempt is answer else None
            call = _call(attempt, tokens)
            # A refusal is about its own request, and a lost worker says nothing of the provider.
            if call is not None and not _is_the_requests(call.error):
                self._calls.setdefault(attempt.deployment_id, []).append(call)

    def settle(self) -> None:
        """Sort what was learnt; to be called once, before the first `outcome`."""
        for deployment_id, calls in self._calls.items():
            calls.sort(key=_start)
            self._starts[deployment_id] = [call.started_at for call in calls]
        self._everyones = sorted((call for calls in self._calls.values() for call in calls), key=_start)
        self._all_starts = [call.started_at for call in self._everyones]

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be drawn from."""
        return not self._everyones

    def first_calls(self, number: int) -> Iterator[tuple[str, Call]]:
        """The first so many calls to each deployment, by time, with the deployment's id."""
        for deployment_id, calls in self._calls.items():
            yield from ((deployment_id, call) for call in calls[:number])

    def outcome(self, job: TracedJob, deployment_id: str, attempt: int, now: float, seed: int) -> tuple[Call, Basis]:
        """What the job's call number `attempt` (from 0) to a deployment meets at `now`, and what that rests on.

        Its own recorded calls to that deployment come first, in order. After them one of the calls near in time is
        drawn; the draw depends on the seed, the job, the deployment and the number alone, so that two policies that
        make the same call meet the same. Whoever is asked refuses a request that was refused in the trace.
        """
        own = list(_own(job, deployment_id))
        if attempt < len(own):
            return own[attempt], Basis.OWN
        if (refusal := _refusal(job)) is not None:
            return refusal, Basis.OWN
        luck = crc32(f"{seed} {job.id} {deployment_id} {attempt}".encode()) / 2**32
        calls, starts = self._calls.get(deployment_id), self._starts.get(deployment_id)
        if calls is None or starts is None:
            return _drawn(self._everyones, self._all_starts, now, luck)[0], Basis.GUESS
        call, is_near = _drawn(calls, starts, now, luck)
        return call, Basis.NEAR if is_near else Basis.FAR


def _start(call: Call) -> float:
    return call.started_at


def _call(attempt: TracedAttempt, tokens: int | None) -> Call | None:
    # How it would have ended nobody knows.
    if attempt.status in (AttemptStatus.LOST, AttemptStatus.CANCELLED):
        return None
    error = None if attempt.error_code is None else _ERRORS.get(attempt.error_code, ProviderFailed)
    return Call(attempt.started_at, attempt.duration_ms, error, tokens)


def _own(job: TracedJob, deployment_id: str) -> Iterator[Call]:
    tokens = measured_tokens(job)
    for attempt in job.attempts:
        if attempt.deployment_id == deployment_id and (call := _call(attempt, tokens)) is not None:
            yield call


def _refusal(job: TracedJob) -> Call | None:
    refused = (_call(attempt, None) for attempt in job.attempts if attempt.error_code == ProviderRefused.code)
    return next(refused, None)


def _is_the_requests(error: type[ProviderError] | None) -> bool:
    return error is not None and issubclass(error, ProviderRefused)


def _drawn(calls: list[Call], starts: list[float], now: float, luck: float) -> tuple[Call, bool]:
    """One of the calls around `now` by `luck` (0 to 1), and whether it is near."""
    here = bisect_left(starts, now)
    first, last = max(here - _NEIGHBOURS, 0), min(here + _NEIGHBOURS, len(calls))
    near_first = bisect_left(starts, now - NEAR_S, first, last)
    near_last = bisect_right(starts, now + NEAR_S, near_first, last)
    if near_first < near_last:
        return calls[near_first + int(luck * (near_last - near_first))], True
    # None is near: the whole side that is nearer has the same weight.
    if here == len(calls) or (here > 0 and now - starts[here - 1] <= starts[here] - now):
        last = here
    else:
        first = here
    return calls[first + int(luck * (last - first))], False
