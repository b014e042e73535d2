"""What processes derive from the configuration and the store of keys: who calls, and what can be asked for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from config.access_key import SHOWN, AccessKey
from config.configuration import Configuration
from config.demo_keys import DEMO_KEYS, demo_keys_work
from config.key_hash import digest, digest_of, file_key_id
from config.live import LiveConfiguration
from config.policy import PolicyConfig
from config.settings import Settings
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.errors import InvalidRequest, Unauthenticated
from workers.access.book import AccessBook
from workers.access.key_record import SECRET
from workers.queues import provider_queue

log = structlog.get_logger()

_UNKNOWN = "Incorrect API key provided: it is not known here, or its tenant is not active"
_NO_DEMO = (
    "the demo keys work only in the sandbox: make a key with `model-router keys create`, or set "
    "MODEL_ROUTER_ALLOW_DEMO_KEY=true"
)


@dataclass(frozen=True, slots=True)
class Edition:
    """One configuration and what follows from it."""

    configuration: Configuration
    catalogue: Catalogue
    # By the hash of the key, so that a look-up takes no longer the more of a key was guessed.
    keys: Mapping[bytes, AccessKey]
    # The same by their ids.
    keys_by_id: Mapping[str, AccessKey]
    # The hashes of demo keys that do not work here.
    refused: frozenset[bytes]

    @classmethod
    def of(cls, configuration: Configuration, settings: Settings) -> "Edition":
        """Derive everything from `configuration`."""
        keys: dict[bytes, AccessKey] = {}
        for tenant in configuration.tenants.values():
            for hashed, prefix in _hashes(tenant, settings.key_pepper):
                keys[hashed] = AccessKey(file_key_id(hashed), tenant.tenant_id, prefix=prefix)
        refused: frozenset[bytes] = frozenset()
        if not demo_keys_work(configuration, settings):
            refused = frozenset(digest(key, settings.key_pepper) for key in DEMO_KEYS) & keys.keys()
        sound = {hashed: key for hashed, key in keys.items() if hashed not in refused}
        by_id = {key.id: key for key in sound.values()}
        return cls(configuration, Catalogue.build(configuration), sound, by_id, refused)

    def policy(self, name: str) -> PolicyConfig:
        """The policy called `name`; InvalidRequest lists those there are."""
        policy = self.configuration.policies.get(name.replace("_", "-"))
        if policy is None:
            known = ", ".join(sorted(self.configuration.policies))
            raise InvalidRequest(f"there is no routing policy {name!r}; there are: {known}", param="routing_policy")
        return policy


def _hashes(tenant: Tenant, pepper: str | None) -> list[tuple[bytes, str]]:
    """The hash of each key of a tenant's file, with what of the key may be shown."""
    known = [(digest(secret, pepper), secret[:SHOWN]) for secret in tenant.api_keys]
    return known + [(digest_of(text), "") for text in tenant.api_key_hashes]


class Directory:
    """The current edition, derived anew when the configuration was reloaded, and who is who.

    Files come first: a tenant of a file goes before one of the same id that was made at run time. Files' keys are in
    memory, and so are the others (workers/access/book.py): a Redis that is away turns nobody into a stranger.
    """

    def __init__(self, live: LiveConfiguration, settings: Settings, book: AccessBook) -> None:
        self.book = book
        self._live = live
        self._settings = settings
        self._edition = Edition.of(live.current, settings)
        self._shadowed: frozenset[str] = frozenset()
        self._warn_of_demo_keys()

    @property
    def current(self) -> Edition:
        """The edition of the configuration in force."""
        configuration = self._live.current
        if self._edition.configuration is not configuration:
            self._edition = Edition.of(configuration, self._settings)
        return self._edition

    def access(self, secret: str) -> tuple[Tenant, AccessKey]:
        """The active tenant that `secret` belongs to, and the key it is.

        Raises Unauthenticated where it is nobody's, revoked or expired: the last two are told only to who has it.
        StoreUnavailable where it may be a key made at run time and Redis, which would know, is away: never a 401 then.
        """
        edition, hashed = self.current, digest(secret, self._settings.key_pepper)
        key = edition.keys.get(hashed)
        if key is None:
            key = self._made_key(secret, hashed, edition)
        tenant = self.tenant(key.tenant_id)
        if tenant is None or not tenant.active:
            raise Unauthenticated(_UNKNOWN)
        return tenant, key

    def tenant(self, tenant_id: str) -> Tenant | None:
        """The tenant with this id; None: there is none. StoreUnavailable where only Redis could know."""
        tenant = self.current.configuration.tenants.get(tenant_id)
        if tenant is None:
            known = self.book.tenant(tenant_id)
            tenant = None if known is None else known.tenant
        return tenant

    def key(self, key_id: str) -> AccessKey | None:
        """The key with this id, expired or not; None where it is revoked, deleted or no more in its file.

        StoreUnavailable where only Redis could know.
        """
        key = self.current.keys_by_id.get(key_id)
        if key is None:
            known = self.book.key(key_id)
            key = None if known is None or known.record.revoked_at is not None else known.access
        return key

    def run(self) -> None:
        """Keep what is known of tenants and keys up to date, for ever."""
        self.book.run(self._warn_of_shadows)

    def queues(self) -> dict[str, str]:
        """Each provider that can be called -> its queue."""
        providers = self._live.current.providers.values()
        return {provider.name: provider_queue(provider.name) for provider in providers if provider.is_called}

    def _made_key(self, secret: str, hashed: bytes, edition: Edition) -> AccessKey:
        if hashed in edition.refused:
            raise Unauthenticated(_NO_DEMO)
        # What no key made here looks like costs no question.
        known = self.book.find(hashed) if SECRET.fullmatch(secret) else None
        if known is None:
            raise Unauthenticated(_UNKNOWN)
        refusal = known.record.refusal(hashed.hex(), time.time())
        if refusal is not None:
            raise Unauthenticated(refusal)
        return known.access

    def _warn_of_demo_keys(self) -> None:
        if not self._live.current.sandbox and self._settings.allow_demo_key:
            log.warning("access.demo_keys", why="MODEL_ROUTER_ALLOW_DEMO_KEY lets in whoever knows the shipped keys")

    def _warn_of_shadows(self) -> None:
        shadowed = frozenset(self.book.tenants().keys() & self._live.current.tenants.keys())
        for tenant_id in sorted(shadowed - self._shadowed):
            log.warning("access.shadowed", tenant_id=tenant_id, why="its file goes before the tenant made at run time")
        self._shadowed = shadowed
