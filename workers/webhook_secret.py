"""What a tenant's webhooks are signed with: its file's secret, or one made on first use and kept in Redis."""

from config.tenant import Tenant
from workers.ledger.ledger import Ledger
from workers.signature import new_secret


def secret_of(ledger: Ledger, tenant_id: str, tenant: Tenant | None) -> str:
    """The signing secret of `tenant_id`; `tenant` is its file's, None when that is gone."""
    if tenant is not None and tenant.webhook_secret:
        return tenant.webhook_secret
    return ledger.webhook_secret(tenant_id, new_secret())
