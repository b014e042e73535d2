"""/v1/jobs: polling a job and cancelling it."""

import re

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.ordering import parse_wait
from api.principal import authenticate
from api.streaming import resume
from routing.errors import JobNotCancellable, NotFound

blueprint = Blueprint("jobs", __name__, url_prefix="/v1/jobs")
_JOB_ID = re.compile(r"job_[0-9a-f]{32}")


@blueprint.get("/<job_id>")
def show(job_id: str) -> Response:
    """The job; with `?wait=SECONDS` as soon as it has ended, or as it stands after that time."""
    principal = authenticate()
    _check_id(job_id)
    wait = request.args.get("wait")
    if wait is not None:
        longest_s = min(parse_wait(wait, "query"), services().settings.wait_s)
        services().waiters.join(job_id, principal.tenant_id, longest_s)
    return replies.as_json(replies.job_object(job_id, principal))


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Cancel a job that has not ended, and show it."""
    principal = authenticate()
    _check_id(job_id)
    cancelled = services().ledger.cancel(job_id, principal.tenant_id)
    if cancelled is None:
        raise NotFound(f"there is no job {job_id!r}")
    status, by_this_call = cancelled
    if not by_this_call and status != "cancelled":
        raise JobNotCancellable(f"job {job_id} has ended already: {status.value}")
    return replies.as_json(replies.job_object(job_id, principal))


@blueprint.get("/<job_id>/stream")
def stream(job_id: str) -> Response:
    """The job's stream, live or after its end, from the event after `Last-Event-ID` or `?starting_after=N` on."""
    principal = authenticate()
    _check_id(job_id)
    return resume(principal, job_id)


def _check_id(job_id: str) -> None:
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound(f"there is no job {job_id[:80]!r}")
