"""/admin/v1/keys: the keys made at run time; those of files are shown beside them."""

import time

from flask import Blueprint, Response, request

from api import replies
from api.admin_key import require_admin
from api.admin_page import PAGE, page_of
from api.context import services
from api.json_body import read_json_object
from api.openapi.admin_shapes import ACCESS_KEY, ACCESS_KEY_DELETED, ACCESS_KEY_SECRET, ACCESS_KEYS
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from workers.access.key_desk import USUAL_GRACE_S, KeyDesk
from workers.access.key_record import KeyRecord
from workers.requests.admin_schema import (
    AccessKeyChangeSchema,
    AccessKeyRotationSchema,
    AccessKeySchema,
    check_rotation,
)

blueprint = Blueprint("admin_keys", __name__, url_prefix="/admin/v1/keys")
blueprint.before_request(require_admin)
_KEY = Parameter("key_id", "path", "The key's id.", {"type": "string", "pattern": "^key_[0-9a-f]{24}$"})
_OF_TENANT = Parameter("tenant_id", "query", "Only keys of this tenant.", {"type": "string"})
_EXAMPLE = {
    "tenant_id": "default",
    "name": "nightly reports",
    "limits": {"rate_limit_per_minute": 20, "daily_tokens": 200000},
    "models": ["fast"],
    "metadata": {"team": "analytics"},
}


@blueprint.post("")
@documented(
    Operation(
        tag="Administration",
        summary="Create a key",
        admin=True,
        body=AccessKeySchema,
        example=_EXAMPLE,
        answers=(found(ACCESS_KEY_SECRET, "The key."), *refused(400, 401, 403, 404, 409, 413, 415, 503)),
    )
)
def create() -> Response:
    """A key of a tenant, which works at once. `secret` is shown here and never again: only its hash is kept."""
    return _with_secret(*_desk().create(read_json_object()))


@blueprint.get("")
@documented(
    Operation(
        tag="Administration",
        summary="List keys",
        admin=True,
        parameters=(*PAGE, _OF_TENANT),
        answers=(found(ACCESS_KEYS, "A page of them."), *refused(400, 401, 403, 404, 503)),
    )
)
def index() -> Response:
    """All keys, with the first characters of each one's secret."""
    return page_of(_desk().all(request.args.get("tenant_id")))


@blueprint.get("/<key_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Look at a key",
        admin=True,
        parameters=(_KEY,),
        answers=(found(ACCESS_KEY, "The key."), *refused(401, 403, 404, 503)),
    )
)
def show(key_id: str) -> Response:
    """One key, without its secret."""
    return replies.as_json(_desk().show(key_id))


@blueprint.patch("/<key_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Change a key",
        admin=True,
        parameters=(_KEY,),
        body=AccessKeyChangeSchema,
        example={"models": None, "limits": {"daily_requests": 100}},
        answers=(found(ACCESS_KEY, "The key as it is now."), *refused(400, 401, 403, 404, 409, 413, 415, 503)),
    )
)
def change(key_id: str) -> Response:
    """Change what is given, and leave the rest. In force everywhere within a second."""
    return _shown(_desk().change(key_id, read_json_object()))


@blueprint.delete("/<key_id>")
@documented(
    Operation(
        tag="Administration",
        summary="Delete a key",
        admin=True,
        parameters=(_KEY,),
        answers=(found(ACCESS_KEY_DELETED, "It is gone."), *refused(401, 403, 404, 409, 503)),
    )
)
def delete(key_id: str) -> Response:
    """Revoke it and forget it. Revoke it instead to go on seeing it in lists."""
    _desk().delete(key_id)
    return replies.as_json({"id": key_id, "object": "access_key.deleted", "deleted": True})


@blueprint.post("/<key_id>/rotate")
@documented(
    Operation(
        tag="Administration",
        summary="Rotate a key",
        admin=True,
        parameters=(_KEY,),
        body=AccessKeyRotationSchema,
        example={"grace_s": 3600},
        body_required=False,
        answers=(found(ACCESS_KEY_SECRET, "The key."), *refused(400, 401, 403, 404, 409, 413, 415, 503)),
    )
)
def rotate(key_id: str) -> Response:
    """Give it a new secret, which is shown once. The one before it works as well for `grace_s`, a day if left out."""
    body = read_json_object() if request.content_length or "Transfer-Encoding" in request.headers else {}
    check_rotation(body)
    return _with_secret(*_desk().rotate(key_id, float(body.get("grace_s", USUAL_GRACE_S))))


@blueprint.post("/<key_id>/revoke")
@documented(
    Operation(
        tag="Administration",
        summary="Revoke a key",
        admin=True,
        parameters=(_KEY,),
        answers=(found(ACCESS_KEY, "The key as it is now."), *refused(401, 403, 404, 409, 503)),
    )
)
def revoke(key_id: str) -> Response:
    """Let it in no more: everywhere within a second. Jobs that were accepted go on; lines of batches are not begun."""
    return _shown(_desk().revoke(key_id))


def _desk() -> KeyDesk:
    return KeyDesk(services().directory, services().settings)


def _shown(record: KeyRecord) -> Response:
    return replies.as_json(record.as_object(time.time()))


def _with_secret(record: KeyRecord, secret: str) -> Response:
    response = replies.as_json({**record.as_object(time.time()), "secret": secret})
    response.headers["Cache-Control"] = "no-store"
    return response
