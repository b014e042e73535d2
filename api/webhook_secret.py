"""/v1/webhooks/secret: what a tenant checks the signatures of its requests' own webhooks with."""

import time
from typing import Any

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, documented
from api.openapi.webhook_shapes import WEBHOOK_SECRET
from api.principal import authenticate
from routing.errors import WebhookConflict
from workers.requests import webhooks_schema
from workers.webhooks.keyring import Keyring
from workers.webhooks.tenant_keyring import keyring_of

blueprint = Blueprint("webhook_secret", __name__, url_prefix="/v1/webhooks")


@blueprint.get("/secret")
@documented(
    Operation(
        tag="Webhooks",
        summary="Get your webhook secret",
        answers=(found(WEBHOOK_SECRET, "The secret."), *refused(401, 503)),
    )
)
def show() -> Response:
    """What signs webhooks to a request's own `webhook_url`; made on first use unless the tenant's file has one.

    Endpoints have secrets of their own.
    """
    tenant = authenticate().tenant
    return replies.as_json(shown(keyring_of(services().ledger.endpoints, tenant.tenant_id, tenant)))


@blueprint.post("/secret/rotate")
@documented(
    Operation(
        tag="Webhooks",
        summary="Rotate your webhook secret",
        body=webhooks_schema.WebhookRotationSchema,
        example={"grace_s": 3600},
        body_required=False,
        answers=(found(WEBHOOK_SECRET, "The new one, and those before it."), *refused(400, 401, 409, 413, 415, 503)),
    )
)
def rotate() -> Response:
    """Put a new secret in force. The one before it signs as well for `grace_s`, a day unless said otherwise."""
    tenant = authenticate().tenant
    grace_s = read_grace()
    if tenant.webhook_secret:
        raise WebhookConflict(
            "the webhook secret stands in the tenant's file: whoever runs this router changes it there"
        )
    return replies.as_json(shown(services().ledger.endpoints.rotate_tenant(tenant.tenant_id, grace_s)))


def shown(keyring: Keyring) -> dict[str, Any]:
    """The secrets of a receiver that are valid now."""
    valid = keyring.valid(int(time.time() * 1000))
    older = [{"secret": secret, "valid_until": until / 1000} for secret, until in valid.previous]
    return {"object": "webhook_secret", "secret": valid.current, "previous": older}


def read_grace() -> float:
    """The `grace_s` of a rotation's body, which may be left out; InvalidRequest says what is wrong with it."""
    body = read_json_object() if request.content_length or "Transfer-Encoding" in request.headers else {}
    webhooks_schema.check_rotation(body)
    given = body.get("grace_s")
    return services().settings.webhook_grace_s if given is None else float(given)
