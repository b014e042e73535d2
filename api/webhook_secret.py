"""GET /v1/webhooks/secret: what a tenant checks the signatures of its webhooks with."""

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, documented
from api.openapi.service_shapes import WEBHOOK_SECRET
from api.principal import authenticate
from workers.webhook_secret import secret_of

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
    """The tenant's own secret, in Standard Webhooks' form; made on first use unless its file has one."""
    tenant = authenticate().tenant
    secret = secret_of(services().ledger, tenant.tenant_id, tenant)
    return replies.as_json({"object": "webhook_secret", "secret": secret})
