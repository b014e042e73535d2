"""Responses as they are kept: the tenant's own, by id, as they stand now and as a conversation to go on from."""

import json
import re
from collections.abc import Sequence
from typing import Any

from api.context import services
from api.principal import Principal
from routing.errors import InvalidRequest, NotFound, PreviousResponseNotFound
from routing.job import JobStatus
from workers.ledger.record import JobRecord
from workers.surfaces.base import Head
from workers.surfaces.registry import RESPONSES
from workers.surfaces.responses_input import Item
from workers.surfaces.responses_items import is_reference, with_ids
from workers.surfaces.responses_object import failed_object, response_object

_ID = re.compile(r"resp_([0-9a-f]{32})")
_ITEM_ID = re.compile(r"[a-z]+_([0-9a-f]{32})(?:_\w+)?")


def read_kept(response_id: str, principal: Principal) -> JobRecord:
    """The record behind a response of this tenant; NotFound where there is none, or it was not to be kept."""
    record = _find(response_id, principal)
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
    record = _find(response_id, principal)
    if record is None:
        raise PreviousResponseNotFound(f"Previous response with id {response_id[:80]!r} not found.", param=param)
    if record.status is not JobStatus.COMPLETED or record.answer is None:
        raise InvalidRequest(
            f"{param}: the response is {record.status.value}; only one that has its answer can be gone on from",
            param=param,
        )
    return _items_of(record)


def with_referred(items: Sequence[Item], principal: Principal, *, earlier: int) -> list[Item]:
    """`items` with those in place of which a reference stands; the first `earlier` are not from the request's input.

    A reference to one of the earlier ones is left out: it is there. Raises InvalidRequest for an item nobody has.
    """
    told, known = list(items[:earlier]), {item.get("id") for item in items[:earlier]}
    for place, item in enumerate(items[earlier:]):
        if not is_reference(item):
            told.append(item)
        elif item["id"] not in known:
            told.append(_referred(item["id"], f"input[{place}].id", principal))
    return told


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


def _referred(item_id: str, where: str, principal: Principal) -> Item:
    """The item of a response of this tenant, which its id names; only ids that this router gave do."""
    named = _ITEM_ID.fullmatch(item_id)
    record = None if named is None else _find(f"resp_{named[1]}", principal)
    for item in () if record is None else _items_of(record):
        if item["id"] == item_id:
            return item
    raise InvalidRequest(f"{where}: Item with id {item_id[:80]!r} not found.", param=where)


def _items_of(record: JobRecord) -> list[dict[str, Any]]:
    """What a response was made of, and what it said."""
    said = json.loads(record.answer)["output"] if record.status is JobStatus.COMPLETED and record.answer else []
    return [*with_ids(record.echo["input"], head_of(record)), *said]


def _find(response_id: str, principal: Principal) -> JobRecord | None:
    found = _ID.fullmatch(response_id)
    if found is None:
        return None
    record = services().ledger.read(f"job_{found[1]}", principal.tenant_id)
    if record is None or record.surface != RESPONSES.name or "input" not in record.echo:
        return None
    return record
