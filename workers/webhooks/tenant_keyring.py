"""What signs the webhooks a tenant's requests ask for: its file's secret, or those that are kept in Redis."""

from config.tenant import Tenant
from workers.webhooks.endpoints import Endpoints
from workers.webhooks.keyring import Keyring


def keyring_of(endpoints: Endpoints, tenant_id: str, tenant: Tenant | None) -> Keyring:
    """The secrets of `tenant_id`; `tenant` is its file's, None when that is gone."""
    if tenant is not None and tenant.webhook_secret:
        return Keyring(tenant.webhook_secret)
    return endpoints.tenant_keyring(tenant_id)
