"""Who calls us: a tenant as its file in tenants/ describes it."""

from dataclasses import dataclass, field
from decimal import Decimal

from config.own_key import OwnKeys


@dataclass(frozen=True, slots=True)
class TenantQuotas:
    """What a tenant may use; None: no limit. Days and months are UTC's."""

    daily_requests: int | None = None
    monthly_requests: int | None = None
    # Requests in any minute.
    rate_limit_per_minute: int | None = None
    # Prompt and answer together, as estimated before the call.
    max_tokens_per_request: int | None = None
    tokens_per_minute: int | None = None
    daily_tokens: int | None = None
    monthly_tokens: int | None = None
    # Accepted jobs that have not ended; and of those, the ones that no worker has begun.
    concurrent_jobs: int | None = None
    queued_jobs: int | None = None
    # Budgets, in micro-dollars; a file says `daily_usd` and `monthly_usd`.
    daily_microusd: int | None = None
    monthly_microusd: int | None = None
    # The part of a budget from which its tenant is warned; None: never.
    budget_warning: Decimal | None = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class TenantFeatures:
    """What a tenant has switched on or set for itself."""

    failover: bool = True
    metrics: bool = True
    circuit_breaker: bool = True
    detailed_logging: bool = False
    # How many times one deployment is tried again before the next is; None: the router's own default.
    retry_attempts: int | None = None
    # One attempt may take this long; None: the provider's own timeout.
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant. `providers` are the accounts it may use, in no order of preference."""

    tenant_id: str
    name: str | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    # The same keys may be given as their hashes (key_hash.py).
    api_key_hashes: tuple[str, ...] = field(default=(), repr=False)
    providers: frozenset[str] = frozenset()
    primary_provider: str | None = None
    fallback_order: tuple[str, ...] = ()
    routing_policy: str = "balanced"
    quotas: TenantQuotas = field(default_factory=TenantQuotas)
    features: TenantFeatures = field(default_factory=TenantFeatures)
    active: bool = True
    # Its part of what batches may have in flight at a provider, beside other tenants'.
    batch_weight: int = 1
    # The keys that it brought for providers: its calls to these go out with them, and with no other.
    own_keys: OwnKeys = field(default_factory=dict)
    # Signs this tenant's webhooks (`whsec_...`); None: one is derived and kept under HOME.
    webhook_secret: str | None = field(default=None, repr=False)
