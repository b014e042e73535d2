"""What a worker calls providers with for tenants that brought their own keys; each is opened once, and kept a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import gevent

from config.configuration import Configuration, ConfigurationError
from config.provider import ProviderConfig
from routing.errors import PatienceEnded, ProviderMisconfigured, StoreUnavailable
from workers.limits import LimitReader
from workers.own_keys.sealing import Sealing, Unreadable
from workers.own_keys.store import OwnKeyStore
from workers.own_keys.stored import StoredKey
from workers.providers.base import Account
from workers.providers.registry import adapter
from workers.upstreams import Upstream, Upstreams

T = TypeVar("T")

# What is kept, and how long until it is looked at again whether it is still stored.
_MOST_KEPT = 10_000
KEPT_S = 60.0
_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class OwnUpstream:
    """A tenant's key, ready to be called with."""

    upstream: Upstream
    fallback_to_shared: bool


@dataclass(frozen=True, slots=True)
class _Secret:
    """A key that was opened. `until` is when it is looked at again, as the clock tells."""

    version: int
    secret: str
    fallback_to_shared: bool
    until: float


class OwnUpstreams:
    """Finds the key that a job was accepted for."""

    def __init__(
        self,
        configuration: Callable[[], Configuration],
        upstreams: Upstreams,
        store: OwnKeyStore,
        sealing: Sealing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configuration = configuration
        self._upstreams = upstreams
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._opened: OrderedDict[tuple[str, str], _Secret] = OrderedDict()
        self._made: OrderedDict[tuple[str, str], tuple[str, ProviderConfig, Upstream]] = OrderedDict()

    def get(self, tenant: str, provider: str, version: int, patience_s: float) -> OwnUpstream:
        """The tenant's key for `provider`, no older than `version` (0: the one that its file names).

        ProviderMisconfigured where it is gone or cannot be opened or sent; PatienceEnded where Redis, which has it, is
        away for `patience_s`.
        """
        config = self._upstreams.row(provider)
        if config is None:
            raise ProviderMisconfigured(f"{provider} is no longer configured on this worker")
        found = (
            self._of_file(tenant, provider) if version == 0 else self._of_store(tenant, provider, version, patience_s)
        )
        return OwnUpstream(self._upstream(tenant, config, found.secret), found.fallback_to_shared)

    def _of_file(self, tenant: str, provider: str) -> _Secret:
        row = self._configuration().tenants.get(tenant)
        key = None if row is None else row.own_keys.get(provider)
        if key is None or key.secret is None:
            raise _gone(provider)
        return _Secret(0, key.secret, key.fallback_to_shared, 0.0)

    def _of_store(self, tenant: str, provider: str, version: int, patience_s: float) -> _Secret:
        known = self._opened.get((tenant, provider))
        if known is not None and known.version >= version and known.until > self._clock():
            return known
        stored = self._read(tenant, provider, patience_s)
        if stored is None:
            self._opened.pop((tenant, provider), None)
            raise _gone(provider)
        try:
            secret = self._sealing.open(tenant, provider, stored.sealed)
        except Unreadable as error:
            raise ProviderMisconfigured(f"the tenant's own key for {provider} cannot be used: {error}") from None
        opened = _Secret(stored.version, secret, stored.fallback_to_shared, self._clock() + KEPT_S)
        _keep(self._opened, (tenant, provider), opened)
        return opened

    def _read(self, tenant: str, provider: str, patience_s: float) -> StoredKey | None:
        give_up_at = self._clock() + patience_s
        while True:
            try:
                return self._store.read(tenant, provider)
            except StoreUnavailable:
                if self._clock() >= give_up_at:
                    raise PatienceEnded("the tenant's own key could not be read in time") from None
            gevent.sleep(_AGAIN_S)

    def _upstream(self, tenant: str, config: ProviderConfig, secret: str) -> Upstream:
        made = self._made.get((tenant, config.name))
        if made is not None and made[0] == secret and (made[1] is config or made[1] == config):
            return made[2]
        try:
            translator = adapter(Account(config.name, config.endpoint, secret, config.headers), config.type)
        except ConfigurationError as error:
            raise ProviderMisconfigured(f"the tenant's own key for {config.name} cannot be used: {error}") from error
        upstream = Upstream(config, translator, self._upstreams.http(config), LimitReader(translator))
        _keep(self._made, (tenant, config.name), (secret, config, upstream))
        return upstream


def _gone(provider: str) -> ProviderMisconfigured:
    """A job is called with the credential that it was accepted for, or not at all."""
    return ProviderMisconfigured(f"the tenant's own key for {provider}, with which the job was accepted, is gone")


def _keep(kept: OrderedDict[tuple[str, str], T], name: tuple[str, str], value: T) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
