"""A tenant made at run time, as the store keeps it and as the admin API shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config.tenant import Tenant, TenantQuotas
from config.tenant_schema import QuotasSchema, RuntimeTenantSchema, tenant_of

_SCHEMA, _QUOTAS, _UNLIMITED = RuntimeTenantSchema(), QuotasSchema(), TenantQuotas()


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """One tenant. `data` is what a file of tenants/ would hold, but for keys; times are Unix seconds."""

    tenant_id: str
    data: Mapping[str, Any]
    created_at: int
    updated_at: int
    # Counts the changes, so that an older state never takes the place of a newer one.
    revision: int = 1

    @classmethod
    def parse(cls, text: str | bytes) -> "TenantRecord":
        """Read what `text` wrote; ValueError or TypeError where it is no such thing."""
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        """As it is kept, in JSON."""
        kept = {name: getattr(self, name) for name in ("tenant_id", "created_at", "updated_at", "revision")}
        return json.dumps({**kept, "data": dict(self.data)})

    def tenant(self) -> Tenant:
        """The tenant; marshmallow's ValidationError for what this version does not know."""
        return tenant_of(_SCHEMA.load({**self.data, "tenant_id": self.tenant_id}))

    def as_object(self) -> dict[str, Any]:
        """As the admin API shows it."""
        quotas = {name: limit for name, limit in self.data.get("quotas", {}).items() if limit is not None}
        times = {"created_at": self.created_at, "updated_at": self.updated_at}
        return {**shown_tenant(self.tenant(), self.data), "source": "runtime", "quotas": quotas, **times}


def shown_tenant(tenant: Tenant, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is shown of any tenant; `data` as it was given, where that is known. No key and no secret is in it."""
    return {
        "id": tenant.tenant_id,
        "object": "tenant",
        "source": "file",
        "name": tenant.name,
        "status": "active" if tenant.active else str((data or {}).get("status", "inactive")),
        "created_at": None,
        "updated_at": None,
        "providers": {
            "enabled": sorted(tenant.providers),
            "primary": tenant.primary_provider,
            "fallback_order": list(tenant.fallback_order),
        },
        "routing_policy": tenant.routing_policy,
        "quotas": quotas_shown(tenant.quotas),
        "features": features_shown(tenant),
        "batch_weight": tenant.batch_weight,
    }


def quotas_shown(quotas: TenantQuotas) -> dict[str, Any]:
    """Its quotas as a file writes them, those that are not as if nothing had been written."""
    shown: dict[str, Any] = {}
    for name, field in _QUOTAS.fields.items():
        attribute = field.attribute or name
        limit = getattr(quotas, attribute)
        if limit != getattr(_UNLIMITED, attribute):
            shown[name] = _as_written(name, limit)
    return shown


def _as_written(name: str, limit: int | Decimal | None) -> float | None:
    if limit is None or isinstance(limit, Decimal):
        return None if limit is None else float(limit)
    # Files write dollars, and what is counted are micro-dollars.
    return limit / 1_000_000 if name.endswith("_usd") else limit


def features_shown(tenant: Tenant) -> dict[str, Any]:
    """Its features as a file writes them."""
    features = tenant.features
    return {
        "failover": features.failover,
        "metrics": features.metrics,
        "circuit_breaker": features.circuit_breaker,
        "detailed_logging": features.detailed_logging,
        "retry_attempts": features.retry_attempts,
        "timeout_ms": None if features.timeout_s is None else features.timeout_s * 1000,
    }
