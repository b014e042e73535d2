"""POST /v1/chat/completions: the front door. Waits on the job, or answers with it."""

from typing import Any

import structlog
from flask import Blueprint, Response, request

from api import chat_schema, replies
from api.caller import CallerGone, wait_for
from api.context import services
from api.json_body import read_json_object
from api.ordering import Preference, place
from api.principal import Principal, authenticate
from routing.errors import IdempotencyConflict, WaitEnded
from workers.ledger.record import Accepted, Conflict, Ended, Existing
from workers.queue import new_job_id

log = structlog.get_logger()

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
            try:
                return _answer(job_id, wait_for(waiter, _wait_s(preference)))
            except CallerGone:
                return _abandon(job_id, principal, body)
    if placed.ended is not None:
        return replies.ended(placed.ended, replayed=True)
    # A caller that goes while it waits for another request's job leaves that job alone.
    return _answer(placed.id, waiters.join(placed.id, principal.tenant_id, _wait_s(preference)))


def _known(placed: Accepted | Existing | Conflict) -> Accepted | Existing:
    if isinstance(placed, Conflict):
        raise IdempotencyConflict(
            f"this Idempotency-Key was used for another body (job {placed.id}); use a new key for a new request"
        )
    return placed


def _wait_s(preference: Preference) -> float:
    longest = services().settings.wait_s
    return longest if preference.wait_s is None else min(preference.wait_s, longest)


def _abandon(job_id: str, principal: Principal, body: dict[str, Any]) -> Response:
    """End the wait of a caller that has gone; its job is cancelled unless it was meant to be come back for."""
    meant = body.get("on_disconnect") or ("detach" if "Idempotency-Key" in request.headers else "cancel")
    if meant == "cancel":
        services().ledger.cancel(job_id, principal.tenant_id)
    log.info("request.caller_gone", job_id=job_id, on_disconnect=meant)
    # Nobody reads this; the status is the one that proxies log for a closed request.
    return Response(status=499)


def _answer(job_id: str, ended: Ended | None) -> Response:
    if ended is None:
        raise WaitEnded(
            f"the answer did not come while this request waited; job {job_id} goes on: poll GET /v1/jobs/{job_id}",
            job_id=job_id,
        )
    return replies.ended(ended)
