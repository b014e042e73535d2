"""POST /v1/chat/completions: the front door. Waits on the job, or answers with it."""

from flask import Blueprint, Response

from api import chat_schema, replies
from api.context import services
from api.json_body import read_json_object
from api.ordering import Preference, place
from api.principal import authenticate
from routing.errors import IdempotencyConflict, WaitEnded
from workers.ledger.record import Accepted, Conflict, Ended, Existing
from workers.queue import new_job_id

blueprint = Blueprint("completions", __name__)


@blueprint.post("/v1/chat/completions")
def chat_completions() -> Response:
    """Accept a chat completion; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    chat_schema.check(body)
    preference = Preference.of_request(body)
    job_id = new_job_id()
    if preference.background:
        return replies.accepted(_known(place(principal, body, job_id, waiter="")), principal)
    waiters = services().waiters
    with waiters.expecting(job_id) as waiter:
        placed = _known(place(principal, body, job_id, waiters.address))
        if isinstance(placed, Accepted):
            return _answer(job_id, waiter.wait(_wait_s(preference)))
    if placed.ended is not None:
        return replies.ended(placed.ended, replayed=True)
    # The ledger told this process's address to the running job, before the job's id was known here.
    with waiters.expecting(placed.id) as waiter:
        attached = services().ledger.attach(placed.id, principal.tenant_id, waiters.address)
        ended = attached[1] if attached is not None else None
        return _answer(placed.id, ended or waiter.wait(_wait_s(preference)))


def _known(placed: Accepted | Existing | Conflict) -> Accepted | Existing:
    if isinstance(placed, Conflict):
        raise IdempotencyConflict(
            f"this Idempotency-Key was used for another body (job {placed.id}); use a new key for a new request"
        )
    return placed


def _wait_s(preference: Preference) -> float:
    longest = services().settings.wait_s
    return longest if preference.wait_s is None else min(preference.wait_s, longest)


def _answer(job_id: str, ended: Ended | None) -> Response:
    if ended is None:
        raise WaitEnded(
            f"the answer did not come while this request waited; job {job_id} goes on: poll GET /v1/jobs/{job_id}",
            job_id=job_id,
        )
    return replies.ended(ended)
