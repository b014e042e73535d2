"""The store of tenants' provider keys: one hash, "tenant provider" -> the key, and the number of its last change."""

from dataclasses import replace

from workers.ledger.steps import Steps
from workers.own_keys.stored import StoredKey

_HASH = "own_keys"
# No tenant has a blank in its id, and so none this field.
_VERSION = "version"


class OwnKeyStore:
    """Each method is one round trip; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def put(self, tenant: str, provider: str, key: StoredKey) -> int:
        """Store the key in place of the one before it; returns its version."""
        return int(self._steps.run("own_key", _field(tenant, provider), key.words))

    def delete(self, tenant: str, provider: str) -> bool:
        """Drop the key; False when there is none."""
        return bool(self._steps.run("own_key", _field(tenant, provider), ""))

    def read(self, tenant: str, provider: str) -> StoredKey | None:
        """The key; None when there is none."""
        value = self._steps.command("HGET", f"{self._steps.prefix}{_HASH}", _field(tenant, provider))
        return None if value is None else StoredKey.parse(value)

    def reseal(self, tenant: str, provider: str, key: StoredKey, sealed: str) -> bool:
        """Put the same key there, sealed otherwise; False where it is not there any more as it was read.

        It keeps its version: nobody has to open it again.
        """
        anew = replace(key, sealed=sealed)
        return bool(self._steps.run("swap", _HASH, _field(tenant, provider), key.text, anew.text, 0))

    def version(self) -> int:
        """The number of the last change; 0 where nothing was ever stored."""
        return int(self._steps.command("HGET", f"{self._steps.prefix}{_HASH}", _VERSION) or 0)

    def all(self) -> tuple[int, dict[tuple[str, str], StoredKey]]:
        """Every key by tenant and provider, and the number of the last change."""
        kept = {name.decode(): value for name, value in self._steps.hash(_HASH).items()}
        version = int(kept.pop(_VERSION, 0))
        return version, {_owner(name): StoredKey.parse(value) for name, value in kept.items()}


def _field(tenant: str, provider: str) -> str:
    return f"{tenant} {provider}"


def _owner(name: str) -> tuple[str, str]:
    tenant, _, provider = name.partition(" ")
    return tenant, provider
