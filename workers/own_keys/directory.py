"""Which tenants have stored keys for which providers: kept in memory, so that no request asks Redis for it."""

from collections.abc import Mapping
from dataclasses import replace

import gevent
import structlog

from config.own_key import OwnKey, OwnKeys
from config.tenant import Tenant
from routing.errors import StoreUnavailable
from workers.own_keys.store import OwnKeyStore

log = structlog.get_logger()

# How old what is known may be: a key that was stored by way of another process is used after this long.
INTERVAL_S = 1.0
_UNREADABLE = "its stored key cannot be read; store it again"
_CLOSED = "its stored key cannot be opened: MODEL_ROUTER_ENCRYPTION_KEY is not set"


class OwnKeyDirectory:
    """Puts what is stored into tenants. While Redis is away what was known last stays."""

    def __init__(self, store: OwnKeyStore, *, opens: bool) -> None:
        """`opens`: there is a key to open what is stored with."""
        self._store = store
        self._reason = None if opens else _CLOSED
        # None: nothing was read yet.
        self._version: int | None = None
        self._stored: Mapping[str, OwnKeys] = {}
        # The tenants as they were made, each from which file's and which keys.
        self._made: dict[str, tuple[Tenant, OwnKeys, Tenant]] = {}

    def run(self) -> None:
        """Keep up with the store, for ever."""
        while True:
            try:
                if self._version is None or self._store.version() != self._version:
                    self.refresh()
            except StoreUnavailable:
                log.debug("own_keys.not_read", why="the job store is away")
            gevent.sleep(INTERVAL_S)

    def refresh(self) -> None:
        """Read everything now; StoreUnavailable where Redis is away."""
        version, kept = self._store.all()
        stored: dict[str, dict[str, OwnKey]] = {}
        for (tenant, provider), key in kept.items():
            stored.setdefault(tenant, {})[provider] = OwnKey(
                version=key.version,
                unusable_reason=self._reason if key.sealed else _UNREADABLE,
                fallback_to_shared=key.fallback_to_shared,
            )
        self._version, self._stored = version, stored
        self._made.clear()

    def on(self, tenant: Tenant) -> Tenant:
        """The tenant with the keys it has stored; those that its file names go before them.

        Nobody is taken for one without keys because nothing was read yet: StoreUnavailable where that cannot be done
        now. Every job needs Redis anyway.
        """
        if self._version is None:
            self.refresh()
        return self.seen(tenant)

    def seen(self, tenant: Tenant) -> Tenant:
        """As `on`, with what is known now."""
        stored = self._stored.get(tenant.tenant_id)
        if not stored:
            return tenant
        made = self._made.get(tenant.tenant_id)
        if made is None or made[0] is not tenant or made[1] is not stored:
            merged = replace(tenant, own_keys={**stored, **tenant.own_keys})
            made = self._made[tenant.tenant_id] = (tenant, stored, merged)
        return made[2]
