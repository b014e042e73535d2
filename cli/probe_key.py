"""The key a stack is tried with when nobody gave one."""

from config.configuration import Configuration


def probe_key(configuration: Configuration) -> str | None:
    """The key the first completion is sent with: the default tenant's first, else any active tenant's."""
    tenants = [*filter(None, [configuration.tenants.get("default")]), *configuration.tenants.values()]
    return next((key for tenant in tenants if tenant.active for key in tenant.api_keys), None)
