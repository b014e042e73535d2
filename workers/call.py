"""One call to one deployment: made, bounded in time, and what it met as a value."""

import time
from dataclasses import dataclass

import gevent

from config.configuration import ConfigurationError
from routing.catalogue import Deployment
from routing.errors import (
    PatienceEnded,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderTimeout,
)
from routing.plan import Candidate
from workers.asking import Question, question_of
from workers.concurrency import AdaptiveConcurrency
from workers.continuation import PREFIX
from workers.ledger.claimed import Claimed
from workers.limits import NOTHING, Lesson
from workers.live import LiveCall
from workers.providers.base import Completion, Reply
from workers.upstreams import Upstream, Upstreams

# A call that was cut short sooner than this, and than the provider's own time-out, tells of the caller's patience only.
LEAST_PATIENCE_S = 10.0
# No call is given less time.
LEAST_S = 0.05


@dataclass(frozen=True, slots=True)
class Called:
    """A call that has ended. `started_at` is Unix seconds."""

    candidate: Candidate
    result: Completion | ProviderError
    started_at: float
    duration_ms: float
    # What the answer told of the provider's limits.
    lesson: Lesson


class Calls:
    """Makes calls. One per process; any number are under way at once."""

    def __init__(self, upstreams: Upstreams, concurrency: AdaptiveConcurrency) -> None:
        self._upstreams = upstreams
        self._concurrency = concurrency

    @property
    def crowded(self) -> bool:
        """Whether as many calls are under way as the worker's provider takes."""
        return self._concurrency.crowded

    def can_reach(self, provider: str) -> bool:
        """Whether this process can call the provider at all."""
        return self._reachable(provider) is not None

    def goes_on(self, candidate: Candidate) -> bool:
        """Whether the candidate can go on with an answer that another has begun, as its row in providers.json says."""
        deployment = candidate.deployment
        upstream = self._reachable(deployment.provider)
        row = None if upstream is None else upstream.config.models.get(deployment.model)
        return row is not None and PREFIX in (row.capabilities or ())

    def make(self, job: Claimed, candidate: Candidate, remaining_s: float, live: LiveCall | None = None) -> Called:
        """Call `candidate` for `job`, whose deadline is in `remaining_s`; the value says what it met.

        `live` takes the answer of a streamed call while it comes in.
        """
        result: Completion | ProviderError
        lesson = NOTHING
        # The concurrency is that of the worker's own provider; a hedge at another one is not counted.
        own = candidate.deployment.provider == job.plan.candidates[job.candidate].deployment.provider
        came = time.monotonic()
        under_way = self._concurrency.begin(remaining_s) if own else 0.0
        began, started_at = time.monotonic(), time.time()
        if under_way is None:
            crowd = ProviderRateLimited(f"{candidate.deployment.provider} took no more calls at once")
            return Called(candidate, crowd, started_at, 0.0, lesson)
        try:
            result, lesson = self._exchange(job, candidate, remaining_s - (began - came), live)
        except ProviderError as error:
            result = error
        finally:
            if own:
                self._concurrency.end(under_way, crowded=lesson.crowded)
        return Called(candidate, result, started_at, (time.monotonic() - began) * 1000, lesson)

    def _exchange(
        self, job: Claimed, candidate: Candidate, remaining_s: float, live: LiveCall | None
    ) -> tuple[Completion | ProviderError, Lesson]:
        """The provider's answer, read; a ProviderError is raised where there is none, and returned where it is one."""
        deployment = candidate.deployment
        upstream = self._upstream(deployment.provider)
        timeout_s = upstream.config.timeout_s
        if job.timeout_ms is not None:
            timeout_s = min(timeout_s, job.timeout_ms / 1000)
        question = question_of(job, upstream, deployment.model, None if live is None else live.begun)
        try:
            if live is not None:
                return _listen(upstream, question, deployment, live, timeout_s, remaining_s)
            timeout_s = max(LEAST_S, min(timeout_s, remaining_s))
            reply = upstream.http.send(question.call, timeout_s)
        except ProviderTimeout as error:
            if min(timeout_s, remaining_s) < min(LEAST_PATIENCE_S, upstream.config.timeout_s):
                raise PatienceEnded(error.message) from error
            raise
        try:
            completion = question.read(reply)
        except ProviderError as error:
            return error, upstream.limits.read(deployment.id, reply, error)
        return completion, upstream.limits.read(deployment.id, reply)

    def _reachable(self, provider: str) -> Upstream | None:
        """The provider's upstream; None where this process cannot call it."""
        try:
            return self._upstream(provider)
        except ProviderMisconfigured:
            return None

    def _upstream(self, provider: str) -> Upstream:
        try:
            upstream = self._upstreams.get(provider)
        except ConfigurationError as error:
            # A key or header that cannot be sent: the operator's to mend, and no reason to lose the job.
            raise ProviderMisconfigured(f"{provider} is not usable: {error}") from error
        if upstream is None:
            raise ProviderMisconfigured(f"{provider} is no longer configured on this worker")
        return upstream


def _listen(
    upstream: Upstream, question: Question, deployment: Deployment, live: LiveCall, timeout_s: float, remaining_s: float
) -> tuple[Completion | ProviderError, Lesson]:
    """A streamed answer, given to `live` as it comes in, then whole.

    `timeout_s` bounds the wait for its beginning and for each further piece, `remaining_s` all of it.
    """
    limit = gevent.Timeout(max(LEAST_S, remaining_s))
    limit.start()
    try:
        with upstream.http.open(question.call, max(LEAST_S, timeout_s)) as opened:
            head = Reply(opened.status, opened.headers, b"")
            if not 200 <= opened.status < 300:
                reply = opened.read()
                error = upstream.adapter.failure(reply)
                return error, upstream.limits.read(deployment.id, reply, error)
            reader = live.reader = question.listen(opened.headers)
            for piece in opened.pieces():
                if choices := reader.feed(piece):
                    live.take(choices)
            completion = reader.completion()
    except gevent.Timeout as expired:
        if expired is not limit:
            raise
        raise ProviderTimeout(f"no end within {remaining_s:.1f} s") from None
    finally:
        limit.close()
    live.end()
    return completion, upstream.limits.read(deployment.id, head)
