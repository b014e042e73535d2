"""The shape of a file in tenants/: checks it and makes a Tenant. Whether its names exist is checked elsewhere."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields

from config.fields import NAME, VARIABLE, VISIBLE, Dollars, Flag, Number, StrictSchema, Table, Text, Whole, Words
from config.key_hash import HASH
from config.own_key import OwnKey
from config.policy_schema import policy_name
from config.tenant import Tenant, TenantFeatures, TenantQuotas

_STATUS = re.compile(r"active|inactive|suspended")
# Standard Webhooks: `whsec_` and the secret in base64.
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{16,512}={0,2}")


class OwnKeySchema(StrictSchema):
    """One of a tenant's `providers.keys`."""

    api_key_env = Text("the name of an environment variable", VARIABLE, required=True)
    fallback_to_shared = Flag(load_default=False)


class TenantProvidersSchema(StrictSchema):
    """A tenant's `providers`."""

    enabled = Words("provider name", required=True)
    primary = Text("a provider's name", NAME, load_default=None, allow_none=True)
    fallback_order = Words("provider name", load_default=())
    routing_policy = Text("a policy's name", NAME, load_default=None)
    keys = Table("provider name", NAME, OwnKeySchema(), load_default=dict)


class QuotasSchema(StrictSchema):
    """A tenant's `quotas`; null is no limit."""

    daily_requests = Whole(load_default=None, allow_none=True)
    monthly_requests = Whole(load_default=None, allow_none=True)
    rate_limit_per_minute = Whole(load_default=None, allow_none=True)
    max_tokens_per_request = Whole(1, load_default=None, allow_none=True)
    tokens_per_minute = Whole(load_default=None, allow_none=True)
    daily_tokens = Whole(load_default=None, allow_none=True)
    monthly_tokens = Whole(load_default=None, allow_none=True)
    concurrent_jobs = Whole(load_default=None, allow_none=True)
    queued_jobs = Whole(load_default=None, allow_none=True)
    daily_usd = Dollars(attribute="daily_microusd", load_default=None, allow_none=True)
    monthly_usd = Dollars(attribute="monthly_microusd", load_default=None, allow_none=True)
    budget_warning = Number(0, 1, load_default=Decimal("0.8"), allow_none=True, metadata={"default": 0.8})


class FeaturesSchema(StrictSchema):
    """A tenant's `features`."""

    failover = Flag(load_default=True)
    metrics = Flag(load_default=True)
    circuit_breaker = Flag(load_default=True)
    detailed_logging = Flag(load_default=False)
    retry_attempts = Whole(0, 100, load_default=None, allow_none=True)
    timeout_ms = Number(0, 86_400_000, above=True, load_default=None, allow_none=True)


class TenantSchema(StrictSchema):
    """One file of tenants/."""

    tenant_id = Text("a tenant's id (letters, digits, . _ -)", NAME, required=True)
    name = Text(load_default=None, allow_none=True)
    description = Text(load_default="")
    status = Text("active, inactive or suspended", _STATUS, load_default="active")
    created_at = Text(load_default=None, allow_none=True)
    updated_at = Text(load_default=None, allow_none=True)
    # Neither is needed: keys may be made at run time.
    api_keys = Words("key of visible ASCII", VISIBLE, load_default=())
    api_key_hashes = Words("hash as `model-router keys hash` prints it", HASH, load_default=())
    providers = fields.Nested(TenantProvidersSchema, required=True, error_messages={"required": "missing"})
    routing_policy = Text("a policy's name", NAME, load_default=None)
    quotas = fields.Nested(QuotasSchema, load_default=dict)
    features = fields.Nested(FeaturesSchema, load_default=dict)
    webhook_secret = Text("whsec_ and a base64 secret", _WEBHOOK_SECRET, load_default=None, allow_none=True)
    batch_weight = Whole(1, 1000, load_default=1)


# Keys have records of their own (those of providers are stored sealed, not named by a variable), times are noted, and
# the webhook secret is made when it is first asked for.
NOT_AT_RUN_TIME = ("api_keys", "api_key_hashes", "webhook_secret", "created_at", "updated_at", "providers.keys")


class RuntimeTenantSchema(TenantSchema):
    """A tenant that is made at run time: as a file of tenants/, without what the store holds beside it."""

    class Meta(StrictSchema.Meta):
        """What the store holds beside it is left out."""

        exclude: tuple[str, ...] = NOT_AT_RUN_TIME


# A schema takes longer to make than a hundred loads, and there may be many keys.
_QUOTAS = QuotasSchema()


def quotas_of(given: Mapping[str, Any]) -> TenantQuotas:
    """The quotas that an object of them describes; marshmallow's ValidationError where it is none."""
    return TenantQuotas(**_QUOTAS.load(given))


def tenant_of(data: Mapping[str, Any]) -> Tenant:
    """The tenant that loaded data describes. A top-level `routing_policy` goes before the one in `providers`."""
    providers, features = data["providers"], dict(data["features"])
    timeout_ms = features.pop("timeout_ms", None)
    return Tenant(
        tenant_id=data["tenant_id"],
        name=data["name"],
        api_keys=data.get("api_keys", ()),
        api_key_hashes=data.get("api_key_hashes", ()),
        providers=frozenset(providers["enabled"]),
        primary_provider=providers["primary"],
        fallback_order=providers["fallback_order"],
        own_keys={
            # Until somebody has looked for it, it is not there.
            name: OwnKey(
                variable=key["api_key_env"],
                unusable_reason=f"no key: {key['api_key_env']} is not set",
                fallback_to_shared=key["fallback_to_shared"],
            )
            for name, key in providers.get("keys", {}).items()
        },
        routing_policy=policy_name(data["routing_policy"] or providers["routing_policy"] or "balanced"),
        quotas=TenantQuotas(**data["quotas"]),
        features=TenantFeatures(**features, timeout_s=None if timeout_ms is None else float(timeout_ms) / 1000),
        active=data["status"] == "active",
        webhook_secret=data.get("webhook_secret"),
        batch_weight=data["batch_weight"],
    )
