"""One exchange with one provider, by one key: asked, bounded in time, and what it met as a value."""

import time
from dataclasses import dataclass

import gevent

from routing.errors import PatienceEnded, ProviderError, ProviderTimeout
from workers.asking import Question, question_of
from workers.ledger.claimed import Claimed
from workers.live import LiveCall
from workers.providers.base import Completion, Reply
from workers.upstreams import Upstream

# A call that was cut short sooner than this, and than the provider's own time-out, tells of the caller's patience only.
LEAST_PATIENCE_S = 10.0
# No call is given less time.
LEAST_S = 0.05


@dataclass(frozen=True, slots=True)
class Met:
    """What one exchange met. `started_at` is Unix seconds."""

    result: Completion | ProviderError
    # None where no answer came, or it broke off.
    reply: Reply | None
    started_at: float
    duration_ms: float


def exchange(job: Claimed, upstream: Upstream, model: str, remaining_s: float, live: LiveCall | None) -> Met:
    """Ask `model` for `job`, whose deadline is in `remaining_s`; `live` takes a streamed answer while it comes in."""
    began, started_at = time.monotonic(), time.time()
    result: Completion | ProviderError
    reply: Reply | None = None
    try:
        result, reply = _ask(job, upstream, model, remaining_s, live)
    except ProviderError as error:
        result = error
    return Met(result, reply, started_at, (time.monotonic() - began) * 1000)


def _ask(
    job: Claimed, upstream: Upstream, model: str, remaining_s: float, live: LiveCall | None
) -> tuple[Completion | ProviderError, Reply]:
    """The provider's answer, read; a ProviderError is raised where there is none, and returned where it is one."""
    timeout_s = upstream.config.timeout_s
    if job.timeout_ms is not None:
        timeout_s = min(timeout_s, job.timeout_ms / 1000)
    question = question_of(job, upstream, model, None if live is None else live.begun)
    try:
        if live is not None:
            return _listen(upstream, question, live, timeout_s, remaining_s)
        timeout_s = max(LEAST_S, min(timeout_s, remaining_s))
        reply = upstream.http.send(question.call, timeout_s)
    except ProviderTimeout as error:
        if min(timeout_s, remaining_s) < min(LEAST_PATIENCE_S, upstream.config.timeout_s):
            raise PatienceEnded(error.message) from error
        raise
    try:
        return question.read(reply), reply
    except ProviderError as error:
        return error, reply


def _listen(
    upstream: Upstream, question: Question, live: LiveCall, timeout_s: float, remaining_s: float
) -> tuple[Completion | ProviderError, Reply]:
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
                return upstream.adapter.failure(reply), reply
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
    return completion, head
