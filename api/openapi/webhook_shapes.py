"""What the API says of webhooks: endpoints, secrets, deliveries."""

from typing import Any

from api.openapi.shape import Shape, either, flag, listing, maybe, number, record, text, whole, word
from workers.webhooks.delivery import DeliveryStatus
from workers.webhooks.events import ALL, EVENTS

_OLDER = record("A secret that was replaced, and signs as well.", {"secret": text(), "valid_until": number("Unix s.")})

WEBHOOK_SECRET = Shape(
    "WebhookSecret",
    record(
        "What a webhook's signature is checked with, in Standard Webhooks' form, `whsec_...`.",
        {
            "object": word(["webhook_secret"]),
            "secret": text("The one in force."),
            "previous": listing(_OLDER, "Those before it that are valid yet, newest first."),
        },
    ),
)

WEBHOOK_ENDPOINT = Shape(
    "WebhookEndpoint",
    record(
        "A receiver of the tenant's events.",
        {
            "id": text(),
            "object": word(["webhook_endpoint"]),
            "url": text(),
            "events": either(word([ALL]), listing(word(EVENTS))),
            "description": text(),
            "disabled": flag(),
            "disabled_reason": maybe(text("Where it was not its owner who disabled it.")),
            "created_at": whole("Unix seconds."),
        },
    ),
)

WEBHOOK_ENDPOINTS = Shape(
    "WebhookEndpoints",
    record("All of them, the newest first.", {"object": word(["list"]), "data": listing(WEBHOOK_ENDPOINT)}),
)

WEBHOOK_ENDPOINT_DELETED = Shape(
    "WebhookEndpointDeleted",
    record("It is gone.", {"id": text(), "object": word(["webhook_endpoint.deleted"]), "deleted": flag("True.")}),
)

_ATTEMPT = record(
    "One POST to the receiver.",
    {
        "started_at": number("Unix seconds."),
        "status_code": maybe(whole("What the receiver answered.")),
        "error": maybe(text("Why there is no answer.")),
        "duration_ms": number(),
        "next_attempt_at": maybe(number("When the next was to be, Unix seconds.")),
    },
)

_DELIVERY: dict[str, Any] = {
    "id": text(),
    "object": word(["webhook_delivery"]),
    "event": word(EVENTS),
    "subject": text("The id of what it tells of, such as a job's."),
    "endpoint": maybe(text("Null where a request named the URL itself.")),
    "url": text("Where it goes, or went last."),
    "status": word(DeliveryStatus),
    "created_at": number("Unix seconds."),
    "next_attempt_at": maybe(number("While it is pending; Unix seconds.")),
    "attempts_made": whole("Since it was made, or was asked for again."),
    "error": maybe(text("Why it was not taken last.")),
}

WEBHOOK_DELIVERY = Shape("WebhookDelivery", record("An event for one receiver.", _DELIVERY))

WEBHOOK_DELIVERY_WHOLE = Shape(
    "WebhookDeliveryWithAttempts",
    record(
        "An event for one receiver, with how it went.",
        {
            **_DELIVERY,
            "subject_available": flag("Whether what it tells of is there yet, so that it can be sent again."),
            "attempts": listing(_ATTEMPT, "The last 20, the oldest first."),
        },
    ),
)

WEBHOOK_DELIVERIES = Shape(
    "WebhookDeliveries",
    record(
        "A page of deliveries, the newest first.",
        {
            "object": word(["list"]),
            "data": listing(WEBHOOK_DELIVERY),
            "first_id": maybe(text()),
            "last_id": maybe(text("What `after` of the next page is; the last that was looked at.")),
            "has_more": flag("Whether there may be more; a page can be short, and even empty, before the last."),
        },
    ),
)

WEBHOOK_REPLAY = Shape(
    "WebhookReplay",
    record(
        "How many deliveries are made again.",
        {"object": word(["webhook_replay"]), "redelivered": whole()},
    ),
)
