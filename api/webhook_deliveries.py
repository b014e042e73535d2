"""/v1/webhooks/deliveries: what was sent to whom and how it went; sending it again."""

import re

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.shape import text, word
from api.openapi.webhook_shapes import (
    WEBHOOK_DELIVERIES,
    WEBHOOK_DELIVERY,
    WEBHOOK_DELIVERY_WHOLE,
    WEBHOOK_REPLAY,
)
from api.principal import authenticate
from routing.errors import InvalidRequest, NotFound, WebhookConflict
from workers.requests import webhooks_schema
from workers.webhooks.delivery import Delivery, DeliveryStatus
from workers.webhooks.delivery_log import Wanted
from workers.webhooks.events import EVENTS
from workers.webhooks.subjects import subjects_of

blueprint = Blueprint("webhook_deliveries", __name__, url_prefix="/v1/webhooks")
_FORM = "dlv_[0-9a-f]{32}"
_ID = re.compile(_FORM)
_DELIVERY = Parameter("delivery_id", "path", "The delivery's id.", {"type": "string", "pattern": f"^{_FORM}$"})
_USUAL, _MOST = 20, 100
# Deliveries that one step of a replay takes.
_STEP = 500
_STATUS = Parameter("status", "query", "Only deliveries that stand so.", word(DeliveryStatus))
_EVENT = Parameter("event", "query", "Only deliveries of this event.", word(EVENTS))
_ENDPOINT = Parameter("endpoint", "query", "Only deliveries to this endpoint.", text())
_LIMIT = Parameter(
    "limit", "query", f"How many at most; {_USUAL} if left out.", {"type": "integer", "minimum": 1, "maximum": _MOST}
)
_AFTER = Parameter("after", "query", "The `last_id` of the page before.", text())


@blueprint.get("/deliveries")
@documented(
    Operation(
        tag="Webhooks",
        summary="List deliveries",
        parameters=(_STATUS, _EVENT, _ENDPOINT, _LIMIT, _AFTER),
        answers=(found(WEBHOOK_DELIVERIES, "A page of them."), *refused(400, 401, 503)),
    )
)
def index() -> Response:
    """Deliveries to endpoints and to requests' own URLs, the newest first. Ended ones are kept for a day."""
    principal = authenticate()
    wanted = Wanted(
        status=_word("status", tuple(DeliveryStatus)),
        event=_word("event", EVENTS),
        endpoint=request.args.get("endpoint", ""),
    )
    page = services().ledger.deliveries.page(principal.tenant_id, wanted, request.args.get("after", ""), _limit())
    if page is None:
        raise InvalidRequest("after: there is no such delivery to go on after", param="after")
    shown = [delivery.as_object() for delivery in page.deliveries]
    return replies.as_json(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": page.last or None,
            "has_more": page.more,
        }
    )


@blueprint.get("/deliveries/<delivery_id>")
@documented(
    Operation(
        tag="Webhooks",
        summary="Look at a delivery",
        parameters=(_DELIVERY,),
        answers=(found(WEBHOOK_DELIVERY_WHOLE, "The delivery."), *refused(401, 404, 503)),
    )
)
def show(delivery_id: str) -> Response:
    """One delivery with its attempts."""
    delivery = _read(authenticate().tenant_id, delivery_id)
    attempts = list(delivery.attempts)
    return replies.as_json({**delivery.as_object(), "subject_available": _available(delivery), "attempts": attempts})


@blueprint.post("/deliveries/<delivery_id>/redeliver")
@documented(
    Operation(
        tag="Webhooks",
        summary="Send a delivery again",
        parameters=(_DELIVERY,),
        answers=(found(WEBHOOK_DELIVERY, "The delivery, pending.", 202), *refused(401, 404, 409, 503)),
    )
)
def redeliver(delivery_id: str) -> Response:
    """Send it again at once, with the same `webhook-id` and a whole schedule of attempts, if it has ended."""
    principal = authenticate()
    delivery = _read(principal.tenant_id, delivery_id)
    if not _available(delivery):
        raise WebhookConflict(f"{delivery.subject}, which delivery {delivery_id} tells of, is not kept any more")
    if delivery.endpoint:
        endpoint = services().ledger.endpoints.read(principal.tenant_id, delivery.endpoint)
        if endpoint is None or endpoint.disabled:
            how = "deleted" if endpoint is None else "disabled"
            raise WebhookConflict(f"webhook endpoint {delivery.endpoint} of delivery {delivery_id} is {how}")
    if not services().ledger.deliveries.redeliver(principal.tenant_id, [delivery_id]):
        raise WebhookConflict(f"delivery {delivery_id} is pending: it is tried anyway")
    return replies.as_json(_read(principal.tenant_id, delivery_id).as_object(), 202)


@blueprint.post("/replay")
@documented(
    Operation(
        tag="Webhooks",
        summary="Send deliveries of a time again",
        body=webhooks_schema.WebhookReplaySchema,
        example={"from": 1764000000, "to": 1764003600, "status": "failed"},
        answers=(found(WEBHOOK_REPLAY, "How many there were.", 202), *refused(400, 401, 404, 413, 415, 503)),
    )
)
def replay() -> Response:
    """Send again what has ended of the deliveries made from `from` to `to`, after a receiver was down."""
    principal = authenticate()
    body = read_json_object()
    webhooks_schema.check_replay(body)
    endpoint = body.get("endpoint") or ""
    if endpoint and services().ledger.endpoints.read(principal.tenant_id, endpoint) is None:
        raise NotFound(f"there is no webhook endpoint {endpoint[:80]!r}", param="endpoint")
    from_ms, to_ms = int(body["from"] * 1000), int(body["to"] * 1000)
    wanted = Wanted(status=body.get("status") or "", endpoint=endpoint, from_ms=from_ms, to_ms=to_ms)
    log, count, after = services().ledger.deliveries, 0, ""
    # None: the delivery to go on after has gone meanwhile, and so have those that are older.
    while (page := log.page(principal.tenant_id, wanted, after, _STEP)) is not None:
        ended = [found.id for found in page.deliveries if found.status is not DeliveryStatus.PENDING]
        count += log.redeliver(principal.tenant_id, ended) if ended else 0
        after = page.last
        if not page.more:
            break
    return replies.as_json({"object": "webhook_replay", "redelivered": count}, 202)


def _read(tenant: str, delivery_id: str) -> Delivery:
    delivery = services().ledger.deliveries.read(delivery_id, tenant) if _ID.fullmatch(delivery_id) else None
    if delivery is None:
        raise NotFound(f"there is no webhook delivery {delivery_id[:80]!r}")
    return delivery


def _available(delivery: Delivery) -> bool:
    return subjects_of(services().ledger).read(delivery.subject) is not None


def _word(name: str, words: tuple[str, ...]) -> str:
    given = request.args.get(name, "")
    if name in request.args and given not in words:
        raise InvalidRequest(f"{name}: must be one of: {', '.join(words)}", param=name)
    return given


def _limit() -> int:
    given = request.args.get("limit", str(_USUAL))
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= limit <= _MOST:
        raise InvalidRequest(f"limit: must be a whole number from 1 to {_MOST}", param="limit")
    return limit
