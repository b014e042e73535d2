"""All tenants and keys made at run time, in this process's memory, so that knowing a caller asks nothing of Redis."""

import time
from collections.abc import Callable
from typing import TypeVar

import gevent
import structlog

from routing.errors import StoreUnavailable
from workers.access.key_record import KeyRecord
from workers.access.pages import KnownKey, KnownTenant, Pages
from workers.access.store import KEYS, TENANTS, AccessStore
from workers.access.tenant_record import TenantRecord

log = structlog.get_logger()

# How often a process asks whether something has changed: a revoked key works no longer than this, and a moment.
POLL_S = 0.5
# What Redis did not have is not asked for again so soon, and of how many such names that is remembered.
_MISSED_S, _MOST_MISSED = 2.0, 10_000
# Rows read between two turns of the others.
_TURN_ROWS = 200

T = TypeVar("T")


class AccessBook:
    """The book. What is in it goes on being known while Redis is away; what is not is asked for, once in a while."""

    def __init__(self, store: AccessStore) -> None:
        self.store = store
        self._pages = Pages()
        # None until everything was read once.
        self._version: int | None = None
        self._missed: dict[str, float] = {}
        self._away = False

    def run(self, after: Callable[[], None] = lambda: None) -> None:
        """Keep the book up to date for ever; `after` is called each time."""
        while True:
            try:
                self.sync()
                self._away = False
            except StoreUnavailable:
                if not self._away:
                    log.warning("access.unavailable", why="the job store is away; keys that are known go on working")
                self._away = True
            after()
            gevent.sleep(POLL_S)

    def sync(self) -> None:
        """Read what has changed since the last time; StoreUnavailable where Redis is away."""
        version = self.store.version()
        if self._version is None or version < self._version:
            # A smaller one: Redis has lost its last changes, and whatever was read may be among them.
            self._load()
        elif version > self._version:
            self._catch_up(self._version)
        self._version = version

    def all_keys(self) -> list[KnownKey]:
        """Every key, the newest first."""
        return sorted(self._pages.keys.values(), key=lambda key: (-key.record.created_at, key.record.id))

    def tenants(self) -> dict[str, KnownTenant]:
        """Every tenant by its id."""
        return self._pages.tenants

    def find(self, hashed: bytes) -> KnownKey | None:
        """The key whose secret has this hash; None: nobody's. StoreUnavailable where only Redis could know."""
        name = hashed.hex()
        known = self._pages.find(name)
        return known or self._ask(name, lambda: self.store.key_by_digest(name), self._pages.put_key)

    def key(self, key_id: str) -> KnownKey | None:
        """The key with this id; None: there is none. StoreUnavailable where only Redis could know."""
        known = self._pages.keys.get(key_id)
        return known or self._ask(key_id, lambda: self.store.row(KEYS, key_id), self._pages.put_key)

    def tenant(self, tenant_id: str) -> KnownTenant | None:
        """The tenant with this id; None: there is none. StoreUnavailable where only Redis could know."""
        known = self._pages.tenants.get(tenant_id)
        # No key's id, and no hash, is written so: one memory of what was missed does for all.
        name = f"tenant {tenant_id}"
        return known or self._ask(name, lambda: self.store.row(TENANTS, tenant_id), self._pages.put_tenant)

    def note(self, record: KeyRecord | TenantRecord) -> None:
        """Take in what this process has just written, without waiting to read it."""
        self._pages.put(KEYS if isinstance(record, KeyRecord) else TENANTS, record.text)

    def drop(self, kind: str, row_id: str) -> None:
        """Forget a key, or a tenant with its keys."""
        if kind == TENANTS:
            self._pages.drop_tenant(row_id)
        else:
            self._pages.drop_key(row_id)

    def _load(self) -> None:
        pages = Pages()
        for kind in (TENANTS, KEYS):
            self._take_in(pages, kind, self.store.rows(kind))
        self._pages = pages

    def _catch_up(self, since: int) -> None:
        changed = self.store.changed(since)
        for kind in (TENANTS, KEYS):
            ids = [row_id for changed_kind, row_id in changed if changed_kind == kind]
            self._take_in(self._pages, kind, self.store.rows(kind, ids))

    def _take_in(self, pages: Pages, kind: str, rows: dict[str, bytes | None]) -> None:
        for count, (row_id, row) in enumerate(rows.items(), start=1):
            if row is not None:
                pages.put(kind, row)
            elif kind == TENANTS:
                pages.drop_tenant(row_id)
            else:
                pages.drop_key(row_id)
            if count % _TURN_ROWS == 0:
                gevent.sleep(0)

    def _ask(self, name: str, read: Callable[[], bytes | None], put: Callable[[bytes], T | None]) -> T | None:
        """What Redis has that is not in the book yet: made-up keys cost a question each, and no memory."""
        if self._missed.get(name, 0) > time.monotonic():
            return None
        row = read()
        if row is None:
            if len(self._missed) >= _MOST_MISSED:
                self._missed.clear()
            self._missed[name] = time.monotonic() + _MISSED_S
            return None
        known = put(row)
        if known is None:
            # It may be a valid key, so no 401 may come of it.
            raise StoreUnavailable("this key or its tenant cannot be read here; try again", retry_after_s=2)
        return known
