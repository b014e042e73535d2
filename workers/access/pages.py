"""What is known of tenants and keys made at run time: rows taken in one by one, found by id and by hash."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from marshmallow import ValidationError

from config.access_key import AccessKey
from config.tenant import Tenant
from workers.access.key_record import KeyRecord
from workers.access.store import KEYS
from workers.access.tenant_record import TenantRecord

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as it is kept, and what its caller is bound by."""

    record: KeyRecord
    access: AccessKey


@dataclass(frozen=True, slots=True)
class KnownTenant:
    """A tenant as it is kept, and as everything else sees it."""

    record: TenantRecord
    tenant: Tenant


class Pages:
    """Rows by id. One that this version cannot read is left out, and logged: no key goes without its limits."""

    def __init__(self) -> None:
        self.keys: dict[str, KnownKey] = {}
        self.tenants: dict[str, KnownTenant] = {}
        self._by_digest: dict[str, str] = {}

    def find(self, hashed: str) -> KnownKey | None:
        """The key whose secret has, or had before its last rotation, this hash."""
        key_id = self._by_digest.get(hashed)
        return None if key_id is None else self.keys[key_id]

    def put(self, kind: str, row: str | bytes) -> KnownKey | KnownTenant | None:
        """Take in a row, unless a newer state of it is here; None where it cannot be read."""
        return self.put_key(row) if kind == KEYS else self.put_tenant(row)

    def put_key(self, row: str | bytes) -> KnownKey | None:
        """A key; what is known of it then."""
        made = _read(KeyRecord.parse, row)
        access = None if made is None else _read(KeyRecord.access_key, made)
        if made is None or access is None:
            return None
        known = self.keys.get(made.id)
        if known is not None and known.record.revision > made.revision:
            return known
        self.drop_key(made.id)
        self.keys[made.id] = fresh = KnownKey(made, access)
        self._by_digest[made.digest] = made.id
        if made.last_digest:
            self._by_digest[made.last_digest] = made.id
        return fresh

    def put_tenant(self, row: str | bytes) -> KnownTenant | None:
        """A tenant; what is known of it then."""
        made = _read(TenantRecord.parse, row)
        tenant = None if made is None else _read(TenantRecord.tenant, made)
        if made is None or tenant is None:
            return None
        known = self.tenants.get(made.tenant_id)
        if known is not None and known.record.revision > made.revision:
            return known
        self.tenants[made.tenant_id] = fresh = KnownTenant(made, tenant)
        return fresh

    def drop_key(self, key_id: str) -> None:
        """Forget a key."""
        known = self.keys.pop(key_id, None)
        if known is not None:
            self._by_digest.pop(known.record.digest, None)
            self._by_digest.pop(known.record.last_digest, None)

    def drop_tenant(self, tenant_id: str) -> None:
        """Forget a tenant and its keys."""
        self.tenants.pop(tenant_id, None)
        for key_id in [key_id for key_id, known in self.keys.items() if known.record.tenant_id == tenant_id]:
            self.drop_key(key_id)


V = TypeVar("V")


def _read(read: Callable[[V], T], given: V) -> T | None:
    try:
        return read(given)
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        # Neither the row nor the error is told: it holds hashes.
        log.error("access.unreadable", why=type(error).__name__)  # noqa: TRY400
        return None
