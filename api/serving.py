"""From a validated request of any surface to its answer: the job is accepted, and waited for or answered with."""

from collections.abc import Callable

from flask import Response

from api import replies
from api.caller import CallerGone, wait_for
from api.context import services
from api.departure import Departure
from api.ordering import Preference, place
from api.principal import Principal
from api.streaming import open_stream
from routing.errors import IdempotencyConflict, WaitEnded
from workers.ledger.record import Accepted, Conflict, Ended, Existing
from workers.queue import new_job_id
from workers.requests.demand import Demand
from workers.surfaces.base import Surface


def serve(
    principal: Principal,
    demand: Demand,
    accepted: Callable[[Accepted | Existing, Principal], Response] = replies.accepted,
) -> Response:
    """Accept the job; answer with its answer when it is there, or at once with what `accepted` makes of the job."""
    preference = Preference.of_request(demand.body)
    waiters, job_id = services().waiters, new_job_id()
    if preference.background:
        return accepted(known(place(principal, demand, job_id, waiter="")), principal)
    if demand.body.get("stream"):
        return open_stream(principal, demand, lambda job: known(place(principal, demand, job, waiters.address)))
    with waiters.expecting(job_id) as waiter:
        placed = known(place(principal, demand, job_id, waiters.address))
        if isinstance(placed, Accepted):
            try:
                return answer(demand.surface, job_id, wait_for(waiter, longest_wait_s(preference)))
            except CallerGone:
                return Departure.of_request(job_id, principal, demand).happen(services().ledger)
    if placed.ended is not None:
        return replies.ended(placed.ended, demand.surface, replayed=True)
    # A caller that goes while it waits for another request's job leaves that job alone.
    return answer(demand.surface, placed.id, waiters.join(placed.id, principal.tenant_id, longest_wait_s(preference)))


def known(placed: Accepted | Existing | Conflict) -> Accepted | Existing:
    """The job that stands for the request; IdempotencyConflict where its key stands for another."""
    if isinstance(placed, Conflict):
        raise IdempotencyConflict(
            f"this Idempotency-Key was used for another body (job {placed.id}); use a new key for a new request"
        )
    return placed


def longest_wait_s(preference: Preference) -> float:
    """How long a request is waited with, at most."""
    longest = services().settings.wait_s
    return longest if preference.wait_s is None else min(preference.wait_s, longest)


def answer(surface: Surface, job_id: str, ended: Ended | None) -> Response:
    """The job's answer; WaitEnded where it did not come while the request waited."""
    if ended is None:
        raise WaitEnded(
            f"the answer did not come while this request waited; job {job_id} goes on: poll GET /v1/jobs/{job_id}",
            job_id=job_id,
        )
    return replies.ended(ended, surface)
