"""Answers that go out while they come in: the responses that follow a job's stream."""

import json
import re
from collections.abc import Callable, Iterator

import structlog
from flask import Response, request

from api import replies
from api.caller import CallerGone
from api.context import services
from api.departure import Departure
from api.principal import Principal
from api.rendering import Rendering
from api.stream import Part, Stream
from routing.errors import InvalidRequest, NotFound
from workers import frames
from workers.frames import Speaker
from workers.ledger.record import Accepted, Ended, Existing
from workers.ledger.streams import Followed
from workers.queue import new_job_id
from workers.requests.demand import Demand
from workers.surfaces.base import Head
from workers.surfaces.registry import surface_of

log = structlog.get_logger()

_NUMBER = re.compile(r"[0-9]{1,9}")
# A comment in the stream: keeps the connection and what stands between from giving up.
_WAITING = b": the answer is awaited\n\n"


def open_stream(principal: Principal, demand: Demand, submit: Callable[[str], Accepted | Existing]) -> Response:
    """Accept the job with `submit`, which is given its id, and answer with its stream.

    An Idempotency-Key that is known already gets the stream of its job. Nothing is sent before the first content, or
    before it has been waited for a while: so a job that fails at once is answered with its status.
    """
    parts, job_id = services(), new_job_id()
    departure = Departure.of_request(job_id, principal, demand)
    stream = Stream(parts, job_id, principal.tenant_id)
    try:
        placed = submit(job_id)
        if not isinstance(placed, Accepted):
            stream.close()
            return resume(principal, placed.id, replayed=True)
        first = stream.next()
        if isinstance(first, Ended) and first.http_status >= 400:
            stream.close()
            return replies.ended(first, demand.surface)
        rendering = _rendering(demand, job_id, placed.created)
        response = _response(stream, rendering, first)
    except BaseException as error:
        stream.close()
        if isinstance(error, CallerGone):
            return departure.happen(parts.ledger)
        raise

    def closed() -> None:
        stream.close()
        # Broken off by the caller, not by this process's own end.
        if not rendering.ended and stream.connection.gone:
            departure.happen(parts.ledger)

    response.call_on_close(closed)
    return response


def resume(principal: Principal, job_id: str, after: int | None = None, *, replayed: bool = False) -> Response:
    """The stream of a job from after event number `after` on, live or after its end.

    By default from after the event that the request says its caller has seen. Raises NotFound, InvalidRequest for a
    job without a stream, and StoreUnavailable.
    """
    parts = services()
    if after is None:
        asked, seen = numbers_seen()
        after = seen if asked is None else asked
    stream = Stream(parts, job_id, principal.tenant_id)
    try:
        page = stream.ask()
        _check_has_stream(job_id, page)
        if replayed and page.ended is not None and page.ended.http_status >= 400 and not page.frames:
            stream.close()
            return replies.ended(page.ended, surface_of(page.surface), replayed=True)
        first = stream.next()
        response = _response(stream, _rendering_again(job_id, page, after), first, page.provider)
    except BaseException as error:
        stream.close()
        if isinstance(error, CallerGone):
            return Response(status=499)
        raise
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    response.call_on_close(stream.close)
    return response


def numbers_seen() -> tuple[int | None, int]:
    """The number after which the caller wants the events, and that of the last one it has seen, 0 for none.

    As `starting_after` and `Last-Event-ID` say; raises InvalidRequest that names the one at fault.
    """
    asked = request.args.get("starting_after")
    seen = request.headers.get("Last-Event-ID") or "0"
    return None if asked is None else _number(asked, "starting_after"), _number(seen, "Last-Event-ID")


def _number(text: str, name: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidRequest(f"{name}: must be the number of an event, as its id says", param=name)
    return int(text)


def _check_has_stream(job_id: str, page: Followed) -> None:
    if not page.stream:
        raise InvalidRequest(f"job {job_id} was asked for without `stream`: its answer is at GET /v1/jobs/{job_id}")


def _rendering(demand: Demand, job_id: str, created: int) -> Rendering:
    asked = str(demand.body.get("model") or "")
    usage = bool((demand.body.get("stream_options") or {}).get("include_usage"))
    return Rendering(
        demand.surface, lambda model: Head(job_id, model or asked, created, include_usage=usage, echo=demand.echo)
    )


def _rendering_again(job_id: str, page: Followed, after: int) -> Rendering:
    """The same events, as the job's record has what they are made of."""
    echo, usage = json.loads(page.echo) if page.echo else {}, page.stream == "usage"
    return Rendering(
        surface_of(page.surface),
        lambda model: Head(job_id, model or page.model, page.created, include_usage=usage, echo=echo),
        after,
    )


def _response(stream: Stream, rendering: Rendering, first: Part, provider: str = "") -> Response:
    if isinstance(first, list) and isinstance(speaker := frames.read(first[0]), Speaker):
        provider = speaker.provider
    response = Response(_events(stream, rendering, first), mimetype="text/event-stream")
    response.headers["X-Job-Id"] = stream.job_id
    response.headers["X-Provider"] = provider or stream.ask().provider
    # nginx would keep chunks back.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _events(stream: Stream, rendering: Rendering, part: Part) -> Iterator[bytes]:
    try:
        while not isinstance(part, Ended):
            yield _WAITING if part is None else rendering.lines(part)
            part = stream.next()
        yield rendering.end(part)
    except CallerGone:
        return
    except NotFound:
        # Its data expired, or was deleted, while the caller read: there is no rest.
        log.info("stream.gone", job_id=stream.job_id)
