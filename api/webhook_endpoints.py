"""/v1/webhooks/endpoints: the receivers that a tenant has set up."""

import re
import secrets
import time
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.webhook_shapes import (
    WEBHOOK_DELIVERY,
    WEBHOOK_ENDPOINT,
    WEBHOOK_ENDPOINT_DELETED,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_SECRET,
)
from api.principal import authenticate
from api.webhook_secret import read_grace, shown
from routing.errors import NotFound, WebhookConflict
from workers.requests import webhooks_schema
from workers.webhooks.endpoint import Endpoint
from workers.webhooks.events import ALL, TEST
from workers.webhooks.happening import Happening
from workers.webhooks.subjects import TEST_SUBJECT

blueprint = Blueprint("webhook_endpoints", __name__, url_prefix="/v1/webhooks/endpoints")
_FORM = "we_[0-9a-f]{32}"
_ID = re.compile(_FORM)
_ENDPOINT = Parameter("endpoint_id", "path", "The endpoint's id.", {"type": "string", "pattern": f"^{_FORM}$"})
_EXAMPLE = {"url": "https://example.com/hook", "events": ["job.completed", "job.failed"]}


@blueprint.post("")
@documented(
    Operation(
        tag="Webhooks",
        summary="Create an endpoint",
        body=webhooks_schema.WebhookEndpointSchema,
        example=_EXAMPLE,
        answers=(found(WEBHOOK_ENDPOINT, "The endpoint."), *refused(400, 401, 409, 413, 415, 503)),
    )
)
def create() -> Response:
    """From now on every event it wants is sent there as well. Its secret is at `.../{id}/secret`; 20 may be kept."""
    principal = authenticate()
    body = read_json_object()
    webhooks_schema.check_endpoint(body)
    made = services().ledger.endpoints.create(
        principal.tenant_id,
        body["url"],
        _events(body.get("events")),
        body.get("description") or "",
        disabled=bool(body.get("disabled")),
    )
    return replies.as_json(made.as_object())


@blueprint.get("")
@documented(
    Operation(
        tag="Webhooks",
        summary="List your endpoints",
        answers=(found(WEBHOOK_ENDPOINTS, "All of them."), *refused(401, 503)),
    )
)
def index() -> Response:
    """All endpoints of the tenant, the newest first."""
    kept = services().ledger.endpoints.all(authenticate().tenant_id)
    return replies.as_json({"object": "list", "data": [endpoint.as_object() for endpoint in kept]})


@blueprint.get("/<endpoint_id>")
@documented(
    Operation(
        tag="Webhooks",
        summary="Look at an endpoint",
        parameters=(_ENDPOINT,),
        answers=(found(WEBHOOK_ENDPOINT, "The endpoint."), *refused(401, 404, 503)),
    )
)
def show(endpoint_id: str) -> Response:
    """One endpoint, without its secret."""
    return replies.as_json(_read(authenticate().tenant_id, endpoint_id).as_object())


@blueprint.patch("/<endpoint_id>")
@documented(
    Operation(
        tag="Webhooks",
        summary="Change an endpoint",
        parameters=(_ENDPOINT,),
        body=webhooks_schema.WebhookEndpointChangeSchema,
        example={"disabled": False},
        answers=(found(WEBHOOK_ENDPOINT, "The endpoint as it is now."), *refused(400, 401, 404, 413, 415, 503)),
    )
)
def change(endpoint_id: str) -> Response:
    """Change what is given, and leave the rest. `"disabled": false` takes up one that answered 410 again."""
    principal = authenticate()
    body = read_json_object()
    webhooks_schema.check_change(body)
    given = {name: body[name] for name in ("url", "description", "disabled") if body.get(name) is not None}
    if body.get("events") is not None:
        given["events"] = _events(body["events"])
    if "disabled" in given:
        given["disabled_reason"] = ""

    def changed(endpoint: Endpoint) -> Endpoint:
        return replace(endpoint, **given)

    _check_id(endpoint_id)
    return replies.as_json(services().ledger.endpoints.change(principal.tenant_id, endpoint_id, changed).as_object())


@blueprint.delete("/<endpoint_id>")
@documented(
    Operation(
        tag="Webhooks",
        summary="Delete an endpoint",
        parameters=(_ENDPOINT,),
        answers=(found(WEBHOOK_ENDPOINT_DELETED, "It is gone."), *refused(401, 404, 503)),
    )
)
def delete(endpoint_id: str) -> Response:
    """Send nothing there any more; deliveries to it that wait for their next attempt fail."""
    principal = authenticate()
    _check_id(endpoint_id)
    if not services().ledger.endpoints.delete(principal.tenant_id, endpoint_id):
        raise _unknown(endpoint_id)
    return replies.as_json({"id": endpoint_id, "object": "webhook_endpoint.deleted", "deleted": True})


@blueprint.get("/<endpoint_id>/secret")
@documented(
    Operation(
        tag="Webhooks",
        summary="Get an endpoint's secret",
        parameters=(_ENDPOINT,),
        answers=(found(WEBHOOK_SECRET, "The secret."), *refused(401, 404, 503)),
    )
)
def secret(endpoint_id: str) -> Response:
    """What signs webhooks to this endpoint."""
    return replies.as_json(shown(_read(authenticate().tenant_id, endpoint_id).keyring))


@blueprint.post("/<endpoint_id>/rotate")
@documented(
    Operation(
        tag="Webhooks",
        summary="Rotate an endpoint's secret",
        parameters=(_ENDPOINT,),
        body=webhooks_schema.WebhookRotationSchema,
        example={"grace_s": 3600},
        body_required=False,
        answers=(found(WEBHOOK_SECRET, "The new one, and those before it."), *refused(400, 401, 404, 413, 415, 503)),
    )
)
def rotate(endpoint_id: str) -> Response:
    """Put a new secret in force. The one before it signs as well for `grace_s`, a day unless said otherwise."""
    principal = authenticate()
    grace_s = read_grace()
    _check_id(endpoint_id)
    rotated = services().ledger.endpoints.rotate(principal.tenant_id, endpoint_id, grace_s)
    return replies.as_json(shown(rotated.keyring))


@blueprint.post("/<endpoint_id>/test")
@documented(
    Operation(
        tag="Webhooks",
        summary="Send an endpoint a test",
        parameters=(_ENDPOINT,),
        answers=(found(WEBHOOK_DELIVERY, "The delivery.", 202), *refused(401, 404, 409, 503)),
    )
)
def test(endpoint_id: str) -> Response:
    """Send the event `webhook.test` there, whatever events it wants."""
    principal = authenticate()
    if _read(principal.tenant_id, endpoint_id).disabled:
        raise WebhookConflict(f"webhook endpoint {endpoint_id} is disabled; enable it first")
    subject = f"{TEST_SUBJECT}{secrets.token_hex(16)}"
    happening = Happening(principal.tenant_id, TEST, int(time.time() * 1000), "", {})
    log = services().ledger.deliveries
    made = log.test(subject, happening, endpoint_id)
    delivery = None if made is None else log.read(made)
    if delivery is None:
        raise _unknown(endpoint_id)
    return replies.as_json(delivery.as_object(), 202)


def _events(given: Any) -> tuple[str, ...]:
    return (ALL,) if given in (None, ALL) else tuple(dict.fromkeys(given))


def _read(tenant: str, endpoint_id: str) -> Endpoint:
    _check_id(endpoint_id)
    endpoint = services().ledger.endpoints.read(tenant, endpoint_id)
    if endpoint is None:
        raise _unknown(endpoint_id)
    return endpoint


def _check_id(endpoint_id: str) -> None:
    if not _ID.fullmatch(endpoint_id):
        raise _unknown(endpoint_id)


def _unknown(endpoint_id: str) -> NotFound:
    return NotFound(f"there is no webhook endpoint {endpoint_id[:80]!r}")
