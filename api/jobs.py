"""/v1/jobs: polling a job and cancelling it."""

import re

import structlog
from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.anthropic_shapes import MESSAGE_EVENT
from api.openapi.completion_shapes import CHAT_EVENT, TEXT_EVENT
from api.openapi.headers import LAST_EVENT_ID
from api.openapi.job_shape import JOB
from api.openapi.operation import EVENTS, Answer, Operation, Parameter, documented
from api.openapi.responses_event_shapes import RESPONSE_EVENT
from api.openapi.shape import either
from api.ordering import LONGEST_WAIT_S, parse_wait
from api.principal import authenticate
from api.streaming import resume
from routing.errors import JobNotCancellable, NotFound

log = structlog.get_logger()

blueprint = Blueprint("jobs", __name__, url_prefix="/v1/jobs")
_ID = re.compile(r"job_[0-9a-f]{32}")
JOB_ID = Parameter("job_id", "path", "The job's id.", {"type": "string", "pattern": "^job_[0-9a-f]{32}$"})
_WAIT = Parameter(
    "wait",
    "query",
    "Seconds to wait for the job's end; the server may wait less.",
    {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_S},
)
# In the form in which the job was asked for.
_EVENT = either(CHAT_EVENT, TEXT_EVENT, MESSAGE_EVENT, RESPONSE_EVENT)
_AFTER = Parameter(
    "starting_after",
    "query",
    "The number of the last event seen; goes before `Last-Event-ID`.",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
)


@blueprint.get("/<job_id>")
@documented(
    Operation(
        tag="Jobs",
        summary="Look at a job",
        parameters=(JOB_ID, _WAIT),
        answers=(found(JOB, "The job."), *refused(400, 401, 404, 503)),
    )
)
def show(job_id: str) -> Response:
    """The job; with `?wait=SECONDS` as soon as it has ended, or as it stands after that time."""
    principal = authenticate()
    check_id(job_id)
    wait = request.args.get("wait")
    if wait is not None:
        longest_s = min(parse_wait(wait, "query"), services().settings.wait_s)
        services().waiters.join(job_id, principal.tenant_id, longest_s)
    return replies.as_json(replies.job_object(job_id, principal))


@blueprint.post("/<job_id>/cancel")
@documented(
    Operation(
        tag="Jobs",
        summary="Cancel a job",
        parameters=(JOB_ID,),
        answers=(found(JOB, "The cancelled job."), *refused(401, 404, 409, 503)),
    )
)
def cancel(job_id: str) -> Response:
    """Cancel a job that has not ended, and show it."""
    principal = authenticate()
    check_id(job_id)
    cancelled = services().ledger.cancel(job_id, principal.tenant_id)
    if cancelled is None:
        raise NotFound(f"there is no job {job_id!r}")
    status, by_this_call = cancelled
    if not by_this_call and status != "cancelled":
        raise JobNotCancellable(f"job {job_id} has ended already: {status.value}")
    if by_this_call:
        log.info("job.cancelled", job_id=job_id, tenant_id=principal.tenant_id)
    return replies.as_json(replies.job_object(job_id, principal))


@blueprint.get("/<job_id>/stream")
@documented(
    Operation(
        tag="Jobs",
        summary="Follow a job's stream",
        parameters=(JOB_ID, _AFTER, LAST_EVENT_ID),
        answers=(
            Answer(200, "The events that were not seen.", {EVENTS: _EVENT}, ("X-Job-Id", "X-Provider")),
            *refused(400, 401, 404, 503),
        ),
    )
)
def stream(job_id: str) -> Response:
    """The job's stream, live or after its end, from the event after `Last-Event-ID` or `?starting_after=N` on."""
    principal = authenticate()
    check_id(job_id)
    return resume(principal, job_id)


def check_id(job_id: str) -> None:
    """NotFound for what no job's id can be."""
    if not _ID.fullmatch(job_id):
        raise NotFound(f"there is no job {job_id[:80]!r}")
