"""/v1/responses: OpenAI's Responses API."""

import json
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.kept_responses import conversation_before, head_of, read_kept, standing
from api.openapi.answers import found, refused, served
from api.openapi.headers import IDEMPOTENCY_KEY, LAST_EVENT_ID, LAST_SEEN, PREFER
from api.openapi.operation import EVENTS, JSON, Answer, Operation, Parameter, documented
from api.openapi.responses_event_shapes import RESPONSE_EVENT
from api.openapi.responses_shapes import DELETED, INPUT_ITEMS, RESPONSE
from api.openapi.shape import flag, text, word
from api.principal import Principal, authenticate
from api.referred_items import with_referred
from api.serving import serve
from api.streaming import numbers_seen, resume
from routing.errors import InvalidRequest, NotFound
from workers.ledger.record import Accepted, Existing
from workers.requests import responses_schema
from workers.requests.responses_demand import demand_of
from workers.surfaces.responses_items import listed
from workers.surfaces.responses_request import conversation_of

blueprint = Blueprint("responses", __name__, url_prefix="/v1/responses")
_MOST_ITEMS, _USUAL_ITEMS = 100, 20
_ORDERS = ("asc", "desc")
_RESPONSE = Parameter("response_id", "path", "The response's id.", {"type": "string", "pattern": "^resp_[0-9a-f]{32}$"})
_STREAM = Parameter("stream", "query", "Whether its events are wanted: true or false.", flag())
_AFTER = Parameter(
    "starting_after",
    "query",
    "With `stream`: the `sequence_number` of the last event seen; goes before `Last-Event-ID`.",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
)
_LIMIT = Parameter(
    "limit",
    "query",
    f"How many items, {_USUAL_ITEMS} if left out.",
    {"type": "integer", "minimum": 1, "maximum": _MOST_ITEMS},
)
_ORDER = Parameter("order", "query", "The newest first, `desc`, if left out.", word(_ORDERS))
_AFTER_ITEM = Parameter("after", "query", "The id of the item to begin after.", text())


@blueprint.post("")
@documented(
    Operation(
        tag="Responses",
        summary="Ask for a response",
        parameters=(IDEMPOTENCY_KEY, PREFER, LAST_SEEN),
        body=responses_schema.ResponsesSchema,
        example={"model": "fast", "input": "Hello!"},
        answers=served(RESPONSE, RESPONSE_EVENT, accepted=None),
    )
)
def create() -> Response:
    """Accept a request; answer with its response when it is there, or with the queued one in the background."""
    principal = authenticate()
    body = read_json_object()
    responses_schema.check(body)
    before = conversation_before(body.get("previous_response_id"), principal)
    items = with_referred(conversation_of(body, before), principal, earlier=len(before))
    if before:
        _check_length(items)
    demand = demand_of(body, items, earlier=len(before))
    if body.get("stream") and body.get("background"):
        # Its stream is answered with at once, and goes on without its caller.
        asked = {name: value for name, value in demand.body.items() if name != "background"}
        demand = replace(demand, body=asked | {"on_disconnect": "detach"})
    return serve(principal, demand, _queued)


@blueprint.get("/<response_id>")
@documented(
    Operation(
        tag="Responses",
        summary="Look at a response, or follow its stream",
        parameters=(_RESPONSE, _STREAM, _AFTER, LAST_EVENT_ID),
        answers=(
            Answer(200, "The response.", {JSON: RESPONSE, EVENTS: RESPONSE_EVENT}, ("X-Job-Id", "X-Provider")),
            *refused(400, 401, 404, 503),
        ),
    )
)
def show(response_id: str) -> Response:
    """The response as it stands; with `?stream=true` its events, from after `starting_after`, a sequence number."""
    principal = authenticate()
    streamed = request.args.get("stream", "false")
    asked, _ = numbers_seen()
    if streamed not in ("true", "false"):
        raise InvalidRequest("stream: must be true or false", param="stream")
    # Events are numbered from 1, sequence numbers from 0.
    after = None if asked is None else asked + 1
    record = read_kept(response_id, principal)
    return replies.as_json(standing(record)) if streamed == "false" else resume(principal, record.id, after)


@blueprint.post("/<response_id>/cancel")
@documented(
    Operation(
        tag="Responses",
        summary="Cancel a response",
        parameters=(_RESPONSE,),
        answers=(found(RESPONSE, "The response as it stands."), *refused(400, 401, 404, 503)),
    )
)
def cancel(response_id: str) -> Response:
    """Cancel a response that is made in the background. One that has ended stays as it is."""
    principal = authenticate()
    record = read_kept(response_id, principal)
    if not record.echo.get("background"):
        raise InvalidRequest("only a response created with background: true can be cancelled", param="response_id")
    services().ledger.cancel(record.id, principal.tenant_id)
    return replies.as_json(standing(read_kept(response_id, principal)))


@blueprint.delete("/<response_id>")
@documented(
    Operation(
        tag="Responses",
        summary="Forget a response",
        parameters=(_RESPONSE,),
        answers=(found(DELETED, "It was forgotten."), *refused(401, 404, 503)),
    )
)
def delete(response_id: str) -> Response:
    """Forget a response with all it was asked; one that has not ended is cancelled."""
    principal = authenticate()
    record = read_kept(response_id, principal)
    ledger = services().ledger
    ledger.cancel(record.id, principal.tenant_id)
    if not ledger.forget(record.id, principal.tenant_id):
        raise NotFound(f"Response with id {response_id!r} not found.")
    return replies.as_json({"id": response_id, "object": "response.deleted", "deleted": True})


@blueprint.get("/<response_id>/input_items")
@documented(
    Operation(
        tag="Responses",
        summary="List what a response was made of",
        parameters=(_RESPONSE, _LIMIT, _ORDER, _AFTER_ITEM),
        answers=(found(INPUT_ITEMS, "A page of the items."), *refused(400, 401, 404, 503)),
    )
)
def input_items(response_id: str) -> Response:
    """What the response was made of, those of the responses before it first; a page of it, the newest first."""
    principal = authenticate()
    limit, order, after = _page()
    record = read_kept(response_id, principal)
    items = listed(record.echo["input"], head_of(record))
    if order == "desc":
        items.reverse()
    if after is not None:
        places = [place for place, item in enumerate(items) if item["id"] == after]
        if not places:
            raise InvalidRequest("after: the response has no such input item", param="after")
        items = items[places[0] + 1 :]
    shown = items[:limit]
    return replies.as_json(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(items) > limit,
        }
    )


def _queued(placed: Accepted | Existing, principal: Principal) -> Response:
    """The response object of a job that was just accepted, and where to ask for it."""
    record = services().ledger.read(placed.id, principal.tenant_id)
    if record is None:
        raise NotFound(f"there is no job {placed.id!r}")
    shown = standing(record)
    response = replies.as_json(shown)
    response.headers["Location"] = f"/v1/responses/{shown['id']}"
    response.headers["X-Job-Id"] = placed.id
    return response


def _check_length(items: list[Any]) -> None:
    """A conversation may be as long as a request: else a chain of small ones would grow without end."""
    longest = services().settings.max_body_bytes
    if len(json.dumps(items, ensure_ascii=False).encode()) > longest:
        raise InvalidRequest(
            f"previous_response_id: the conversation is over {longest} bytes; begin a new one with what matters of it",
            param="previous_response_id",
        )


def _page() -> tuple[int, str, str | None]:
    """The limit, the order and the item to begin after; InvalidRequest for what is none."""
    given = request.args.get("limit", str(_USUAL_ITEMS))
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= limit <= _MOST_ITEMS:
        raise InvalidRequest(f"limit: must be a whole number from 1 to {_MOST_ITEMS}", param="limit")
    order = request.args.get("order", "desc")
    if order not in _ORDERS:
        raise InvalidRequest('order: must be "asc" or "desc"', param="order")
    return limit, order, request.args.get("after")
