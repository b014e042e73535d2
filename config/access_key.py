"""A key by which a tenant calls. Its secret is not in here: who has looked it up has this."""

from dataclasses import dataclass, field

from config.tenant import TenantQuotas

# How much of a secret may be shown.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One of a tenant's keys, with what it is bound by beside its tenant."""

    # "key_" and hexadecimal digits: names the key everywhere, and is no secret.
    id: str
    tenant_id: str
    name: str = ""
    # The first characters of the secret, for lists.
    prefix: str = ""
    # As a tenant's: both hold.
    quotas: TenantQuotas = field(default_factory=TenantQuotas)
    # Names of models and accounts it may use; None: all that its tenant may.
    models: frozenset[str] | None = None
    providers: frozenset[str] | None = None
    # Unix seconds; None: never.
    expires_at: float | None = None
