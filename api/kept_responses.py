"""Responses as they are kept: the tenant's own, by id, as they stand now and as a conversation to go on from."""

import json
import re
from typing import Any

from api.context import services
from api.principal import Principal
from routing.errors import InvalidRequest, NotFound, PreviousResponseNotFound
from routing.job import JobStatus
from workers.ledger.record import JobRecord
from workers.surfaces.base import Head
from workers.surfaces.registry import RESPONSES
from workers.surfaces.responses_items import with_ids
from workers.surfaces.responses_object import failed_object, response_object

_ID = re.compile(r"resp_([0-9a-f]{32})")


def read_kept(response_id: str, principal: Principal) -> JobRecord:
    """The record behind a response of this tenant; NotFound where there is none, or it was not to be kept."""
    record = find_kept(response_id, principal)
    if record is None:
        raise NotFound(f"Response with id {response_id[:80]!r} not found.")
    return record


def conversation_before(response_id: str | None, principal: Principal) -> list[dict[str, Any]]:
    """The items of the conversation that `response_id` ended; none without one.

    Raises PreviousResponseNotFound, and InvalidRequest for a response that has no answer.
    """
    if response_id is None:
        return []
    param = "previous_response_id"
    record = find_kept(response_id, principal)
    if record is None:
        raise PreviousResponseNotFound(f"Previous response with id {response_id[:80]!r} not found.", param=param)
    if record.status is not JobStatus.COMPLETED or record.answer is None:
        raise InvalidRequest(
            f"{param}: the response is {record.status.value}; only one that has its answer can be gone on from",
            param=param,
        )
    return items_of(record)


def head_of(record: JobRecord) -> Head:
    """What a response says of its job, as far as the record knows: `model` is the one that was asked for."""
    return Head(record.id, record.model, int(record.created_at), echo=record.echo)


def standing(record: JobRecord) -> dict[str, Any]:
    """The response as it stands."""
    head = head_of(record)
    if record.answer is None or record.http_status is None:
        return response_object(head, record.status.value)
    body: dict[str, Any] = json.loads(record.answer)
    if record.status is JobStatus.COMPLETED:
        return body
    return failed_object(head, body, record.http_status)


def items_of(record: JobRecord) -> list[dict[str, Any]]:
    """What a response was made of, and what it said."""
    said = json.loads(record.answer)["output"] if record.status is JobStatus.COMPLETED and record.answer else []
    return [*with_ids(record.echo["input"], head_of(record)), *said]


def find_kept(response_id: str, principal: Principal) -> JobRecord | None:
    """As `read_kept`; None where there is none."""
    found = _ID.fullmatch(response_id)
    if found is None:
        return None
    record = services().ledger.read(f"job_{found[1]}", principal.tenant_id)
    if record is None or record.surface != RESPONSES.name or "input" not in record.echo:
        return None
    return record
