"""The key a stack is tried with when nobody gave one."""

from config.configuration import Configuration
from config.demo_keys import DEMO_KEYS, demo_keys_work
from config.settings import Settings


def probe_key(configuration: Configuration, settings: Settings) -> str | None:
    """The key the first completion is sent with: the default tenant's first that works, else any active tenant's."""
    tenants = [*filter(None, [configuration.tenants.get("default")]), *configuration.tenants.values()]
    refused = frozenset() if demo_keys_work(configuration, settings) else DEMO_KEYS
    keys = (key for tenant in tenants if tenant.active for key in tenant.api_keys)
    return next((key for key in keys if key not in refused), None)
