"""What processes derive from the configuration: who a key belongs to and what can be asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from config.access_key import SHOWN, AccessKey
from config.configuration import Configuration
from config.live import LiveConfiguration
from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.errors import InvalidRequest
from workers.queues import provider_queue


@dataclass(frozen=True, slots=True)
class Edition:
    """One configuration and what follows from it."""

    configuration: Configuration
    catalogue: Catalogue
    # By the hash of the key, so that a look-up takes no longer the more of a key was guessed.
    keys: Mapping[bytes, AccessKey]

    @classmethod
    def of(cls, configuration: Configuration) -> "Edition":
        """Derive everything from `configuration`."""
        keys = {
            digest(secret): _file_key(tenant, secret)
            for tenant in configuration.tenants.values()
            for secret in tenant.api_keys
        }
        return cls(configuration, Catalogue.build(configuration), keys)

    def access(self, secret: str) -> tuple[Tenant, AccessKey] | None:
        """The active tenant that `secret` belongs to, and the key it is; None: it is nobody's."""
        key = self.keys.get(digest(secret))
        tenant = None if key is None else self.configuration.tenants.get(key.tenant_id)
        return (tenant, key) if key is not None and tenant is not None and tenant.active else None

    def policy(self, name: str) -> PolicyConfig:
        """The policy called `name`; InvalidRequest lists those there are."""
        policy = self.configuration.policies.get(name.replace("_", "-"))
        if policy is None:
            known = ", ".join(sorted(self.configuration.policies))
            raise InvalidRequest(f"there is no routing policy {name!r}; there are: {known}", param="routing_policy")
        return policy


def digest(secret: str) -> bytes:
    """The hash a key is looked up by."""
    return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def _file_key(tenant: Tenant, secret: str) -> AccessKey:
    """The key that a tenant's file holds as it is; its id follows from the secret, and does not tell it."""
    return AccessKey(f"key_{digest(secret).hex()[:24]}", tenant.tenant_id, prefix=secret[:SHOWN])


class Directory:
    """The current edition: one comparison per request, derived anew when the configuration was reloaded."""

    def __init__(self, live: LiveConfiguration) -> None:
        self._live = live
        self._edition = Edition.of(live.current)

    @property
    def current(self) -> Edition:
        """The edition of the configuration in force."""
        configuration = self._live.current
        if self._edition.configuration is not configuration:
            self._edition = Edition.of(configuration)
        return self._edition

    def queues(self) -> dict[str, str]:
        """Each provider that can be called -> its queue."""
        providers = self._live.current.providers.values()
        return {provider.name: provider_queue(provider.name) for provider in providers if provider.is_called}
