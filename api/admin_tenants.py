"""/admin/v1/tenants: the tenants made at run time; those of files are shown beside them."""

from flask import Blueprint, Response

from api import replies
from api.admin_key import require_admin
from api.admin_page import PAGE, page_of
from api.context import services
from api.json_body import read_json_object
from api.openapi.admin_shapes import TENANT, TENANT_DELETED, TENANTS
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from workers.access.tenant_desk import TenantDesk
from workers.requests.admin_schema import TenantChangeSchema, TenantSchema

blueprint = Blueprint("admin_tenants", __name__, url_prefix="/admin/v1/tenants")
blueprint.before_request(require_admin)
_TENANT = Parameter("tenant_id", "path", "The tenant's id.", {"type": "string", "minLength": 1})
_EXAMPLE = {
    "tenant_id": "acme",
    "providers": {"enabled": ["groq", "google-gemini"], "routing_policy": "balanced"},
    "quotas": {"daily_requests": 1000, "rate_limit_per_minute": 60},
}


@blueprint.post("")
@documented(
    Operation(
        tag="Administration",
        summary="Create a tenant",
        admin=True,
        body=TenantSchema,
        example=_EXAMPLE,
        answers=(found(TENANT, "The tenant."), *refused(400, 401, 403, 404, 409, 413, 415, 503)),
    )
)
def create() -> Response:
    """A tenant without a key: POST /admin/v1/keys makes one. A tenant of a file keeps its id to itself."""
    return replies.as_json(_desk().create(read_json_object()).as_object())


@blueprint.get("")
@documented(
    Operation(
        tag="Administration",
        summary="List tenants",
        admin=True,
        parameters=PAGE,
        answers=(found(TENANTS, "A page of them."), *refused(400, 401, 403, 404, 503)),
    )
)
def index() -> Response:
    """All tenants, by their ids."""
    return page_of(_desk().all())


@blueprint.get("/<tenant_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Look at a tenant",
        admin=True,
        parameters=(_TENANT,),
        answers=(found(TENANT, "The tenant."), *refused(401, 403, 404, 503)),
    )
)
def show(tenant_id: str) -> Response:
    """One tenant."""
    return replies.as_json(_desk().show(tenant_id))


@blueprint.patch("/<tenant_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Change a tenant",
        admin=True,
        parameters=(_TENANT,),
        body=TenantChangeSchema,
        example={"status": "suspended"},
        answers=(found(TENANT, "The tenant as it is now."), *refused(400, 401, 403, 404, 409, 413, 415, 503)),
    )
)
def change(tenant_id: str) -> Response:
    """Change what is given, and leave the rest; objects are replaced whole. In force everywhere within a second."""
    return replies.as_json(_desk().change(tenant_id, read_json_object()).as_object())


@blueprint.delete("/<tenant_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Delete a tenant",
        admin=True,
        parameters=(_TENANT,),
        answers=(found(TENANT_DELETED, "It is gone, and its keys."), *refused(401, 403, 404, 409, 503)),
    )
)
def delete(tenant_id: str) -> Response:
    """Its keys are gone with it. Jobs that were accepted go on; what is kept of them is kept as long as any."""
    _desk().delete(tenant_id)
    return replies.as_json({"id": tenant_id, "object": "tenant.deleted", "deleted": True})


def _desk() -> TenantDesk:
    return TenantDesk(services().directory, services().settings)
