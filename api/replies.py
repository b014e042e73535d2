"""Responses about jobs: an answer as the worker wrote it, or the job itself."""

import json
from typing import Any

from flask import Response, request

from api import retry_headers
from api.context import REQUEST_ID, services
from api.principal import Principal
from routing.errors import NotFound
from workers.ledger.record import Accepted, Ended, Existing
from workers.surfaces.base import Surface
from workers.surfaces.registry import CHAT


def ended(end: Ended, surface: Surface, *, replayed: bool = False) -> Response:
    """The job's own answer, byte for byte as it was stored; an error in the surface's form."""
    answer = end.answer
    if end.http_status >= 400 and surface is not CHAT:
        told = surface.error(json.loads(answer), end.http_status, request.environ[REQUEST_ID])
        answer = json.dumps(told).encode()
    response = Response(answer, status=end.http_status, mimetype="application/json")
    response.headers["X-Job-Id"] = end.id
    retry_headers.of_end(response, end)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def accepted(placed: Accepted | Existing, principal: Principal) -> Response:
    """202 with the job, and where to ask for it."""
    response = as_json(job_object(placed.id, principal), 202)
    response.headers["Location"] = f"/v1/jobs/{placed.id}"
    response.headers["Preference-Applied"] = "respond-async"
    response.headers["X-Job-Id"] = placed.id
    return response


def job_object(job_id: str, principal: Principal) -> dict[str, Any]:
    """The job as its tenant may see it; NotFound for everybody else's."""
    record = services().ledger.read(job_id, principal.tenant_id)
    if record is None:
        raise NotFound(f"there is no job {job_id!r}")
    if record.unstored and record.answer is not None:
        # Whoever asks has it now.
        services().ledger.attach(job_id, principal.tenant_id, "")
    return record.as_object()


def as_json(value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(json.dumps(value), status=status, mimetype="application/json")
