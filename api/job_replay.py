"""POST /v1/jobs/{id}/replay: the request of a job that got no answer, run again as a job of its own."""

import json

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.jobs import JOB_ID, check_id
from api.json_body import read_json_object
from api.openapi.answers import served
from api.openapi.headers import IDEMPOTENCY_KEY, PREFER
from api.openapi.job_shape import ANSWERS
from api.openapi.operation import Operation, documented
from api.openapi.shape import either
from api.ordering import Preference, place
from api.principal import Principal, authenticate
from api.serving import answer, known, longest_wait_s
from routing.errors import JobNotReplayable, NotFound
from routing.job import JobStatus
from workers.ledger.record import Existing
from workers.queue import new_job_id
from workers.requests import replay_schema
from workers.requests.demand import Demand
from workers.surfaces.registry import CHAT, surface_of
from workers.surfaces.responses_native import Native

blueprint = Blueprint("job_replay", __name__)
_REPLAYABLE = (JobStatus.FAILED, JobStatus.EXPIRED, JobStatus.CANCELLED)


@blueprint.post("/v1/jobs/<job_id>/replay")
@documented(
    Operation(
        tag="Jobs",
        summary="Run a job's request again",
        parameters=(JOB_ID, IDEMPOTENCY_KEY, PREFER),
        body=replay_schema.ReplaySchema,
        body_required=False,
        example={"model": "fast"},
        answers=served(either(*ANSWERS)),
    )
)
def replay(job_id: str) -> Response:
    """Run the request of a failed, expired or cancelled job again, as a new job; answered at once with that job.

    With `Prefer: wait=SECONDS` it is waited for, and answered as the first request would have been, but an error is in
    OpenAI's form. The body says what is to differ; without one the request is the same, also its deadline (from now
    on) and its webhook.
    """
    principal = authenticate()
    check_id(job_id)
    changes = read_json_object() if request.content_length or request.headers.get("Transfer-Encoding") else {}
    replay_schema.check(changes)
    preference = Preference.of_request({})
    demand = _demand(job_id, principal, changes)
    placed = known(place(principal, demand, new_job_id(), waiter="", replay_of=job_id))
    if preference.background or preference.wait_s is None:
        return replies.accepted(placed, principal)
    if isinstance(placed, Existing) and placed.ended is not None:
        return replies.ended(placed.ended, CHAT, replayed=True)
    # A caller that goes while it waits leaves the job alone.
    ended = services().waiters.join(placed.id, principal.tenant_id, longest_wait_s(preference))
    return answer(CHAT, placed.id, ended)


def _demand(job_id: str, principal: Principal, changes: dict[str, object]) -> Demand:
    """What the job was asked, with `changes`; NotFound, or JobNotReplayable where it cannot be asked again."""
    record = services().ledger.read(job_id, principal.tenant_id)
    if record is None:
        raise NotFound(f"there is no job {job_id!r}")
    if record.status not in _REPLAYABLE:
        raise JobNotReplayable(f"job {job_id} is {record.status.value}: a failed, expired or cancelled one is replayed")
    if record.request is None:
        raise JobNotReplayable(f"what job {job_id} was asked is not kept: send the request again")
    body = replay_schema.changed(json.loads(record.request), changes)
    echo = dict(record.echo)
    native = echo.pop("native", None)
    return Demand(surface_of(record.surface), body, echo, None if native is None else Native.from_wire(native))
