"""What the bodies of /admin/v1 must look like. They are as strict as the files of config/, whose fields they share."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields

from config.fields import NAME, VISIBLE, Number, StrictSchema, Text, Words, flatten
from config.tenant_schema import NOT_AT_RUN_TIME, QuotasSchema, RuntimeTenantSchema, TenantProvidersSchema
from routing.errors import InvalidRequest
from workers.requests.batch_schema import Metadata

MAX_GRACE_S = 30 * 86_400
# Far enough, and exact in a double.
_LAST_TIME = 2**42
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{0,256}")


class _KeyFields(StrictSchema):
    name = Text("a name of up to 256 characters", _LABEL, metadata={"description": "For you, and in lists."})
    expires_at = Number(
        0, _LAST_TIME, allow_none=True, metadata={"description": "Unix seconds, to come; null: it does not expire."}
    )
    limits = fields.Nested(
        QuotasSchema,
        allow_none=True,
        metadata={"description": "As a tenant's `quotas`; both hold."},
    )
    models = Words(
        "name of a model",
        VISIBLE,
        least=1,
        allow_none=True,
        metadata={"description": "Aliases, deployments and models it may use; null: all that its tenant may."},
    )
    providers = Words(
        "provider name",
        least=1,
        allow_none=True,
        metadata={"description": "Providers it may use; null: all that its tenant may."},
    )
    metadata = Metadata(about="Up to 16 pairs of texts, for you.")


class AccessKeySchema(_KeyFields):
    """The body of POST /admin/v1/keys."""

    tenant_id = Text("a tenant's id", NAME, required=True)


class AccessKeyChangeSchema(_KeyFields):
    """The body of PATCH /admin/v1/keys/{id}: what is to be another; `limits` are replaced as a whole."""


class AccessKeyRotationSchema(StrictSchema):
    """The body of a rotation."""

    grace_s = Number(
        0, MAX_GRACE_S, metadata={"description": "Seconds for which the secret before this one is valid yet: a day."}
    )


class TenantSchema(RuntimeTenantSchema):
    """The body of POST /admin/v1/tenants: what a file of tenants/ holds, without its keys."""


class TenantChangeSchema(RuntimeTenantSchema):
    """The body of PATCH /admin/v1/tenants/{id}: what is to be another; objects are replaced as a whole."""

    class Meta(RuntimeTenantSchema.Meta):
        """Its id stays what it is."""

        exclude = (*NOT_AT_RUN_TIME, "tenant_id")

    providers = fields.Nested(TenantProvidersSchema)


_KEY, _KEY_CHANGE, _ROTATION = AccessKeySchema(), AccessKeyChangeSchema(), AccessKeyRotationSchema()
_TENANT, _TENANT_CHANGE = TenantSchema(), TenantChangeSchema()


def check_key(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of a new key's body at fault."""
    _check(_KEY, body)


def check_key_change(body: dict[str, Any]) -> None:
    """The same for a change of one."""
    _check(_KEY_CHANGE, body)


def check_rotation(body: dict[str, Any]) -> None:
    """The same for a rotation."""
    _check(_ROTATION, body)


def check_tenant(body: dict[str, Any]) -> None:
    """The same for a new tenant."""
    _check(_TENANT, body)


def check_tenant_change(body: dict[str, Any]) -> None:
    """The same for a change of one."""
    _check(_TENANT_CHANGE, body)


def _check(schema: Schema, body: dict[str, Any]) -> None:
    try:
        schema.load(body)
    except ValidationError as error:
        path, message = flatten(error.messages)[0]
        raise InvalidRequest(f"{path}: {message}" if path else message, param=path or None) from None
