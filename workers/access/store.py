"""The store of tenants and keys made at run time. Every change is made only if nobody was faster."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from routing.access_errors import AccessConflict
from routing.errors import InvalidRequest, NotFound, StoreUnavailable
from workers.access.key_record import KeyRecord
from workers.access.tenant_record import TenantRecord
from workers.ledger.steps import Steps

KEYS, TENANTS = "keys", "tenants"
_NO_TENANT = -1
# How often a change is tried that others' changes come before.
_TRIES = 20
# Every process keeps every row in memory.
_MOST_BYTES = 64 * 1024
# Rows fetched in one command.
_ROWS = 500


class AccessStore:
    """Each method is one round trip, or a few where something is changed; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def create_key(self, record: KeyRecord, *, tenant_is_stored: bool) -> None:
        """Keep a new key; NotFound where its tenant, which must be in the store, is not (`tenant_is_stored`)."""
        owner = record.tenant_id if tenant_is_stored else ""
        if self._write(KEYS, record.id, b"", record.text, owner) == _NO_TENANT:
            raise NotFound(f"there is no tenant {record.tenant_id!r}", param="tenant_id")

    def change_key(self, key_id: str, change: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        """What `change` makes of the key; NotFound when there is none. `change` may be asked again."""
        for _ in range(_TRIES):
            row = self.row(KEYS, key_id)
            if row is None:
                raise NotFound(f"there is no key {key_id[:80]!r}")
            record = KeyRecord.parse(row)
            changed = replace(change(record), revision=record.revision + 1)
            if self._write(KEYS, key_id, row, changed.text):
                return changed
        raise StoreUnavailable("the key is being changed all the time; try again", retry_after_s=1)

    def create_tenant(self, record: TenantRecord) -> None:
        """Keep a new tenant; AccessConflict where there is one of this id."""
        if not self._write(TENANTS, record.tenant_id, b"", record.text):
            raise AccessConflict(f"there is a tenant {record.tenant_id!r} already", param="tenant_id")

    def change_tenant(self, tenant_id: str, change: Callable[[TenantRecord], TenantRecord]) -> TenantRecord:
        """What `change` makes of the tenant; NotFound when there is none. `change` may be asked again."""
        for _ in range(_TRIES):
            row = self.row(TENANTS, tenant_id)
            if row is None:
                raise NotFound(f"there is no tenant {tenant_id[:80]!r}")
            record = TenantRecord.parse(row)
            changed = replace(change(record), revision=record.revision + 1)
            if self._write(TENANTS, tenant_id, row, changed.text):
                return changed
        raise StoreUnavailable("the tenant is being changed all the time; try again", retry_after_s=1)

    def delete(self, kind: str, row_id: str) -> bool:
        """Drop a key, or a tenant with its keys; False where there is none."""
        for _ in range(_TRIES):
            row = self.row(kind, row_id)
            if row is None:
                return False
            if self._write(kind, row_id, row, ""):
                return True
        raise StoreUnavailable("it is being changed all the time; try again", retry_after_s=1)

    def row(self, kind: str, row_id: str) -> bytes | None:
        """One row as it is kept; None: there is none."""
        found: bytes | None = self._steps.command("HGET", self._name(kind), row_id)
        return found

    def rows(self, kind: str, ids: Iterable[str] | None = None) -> dict[str, bytes | None]:
        """These rows, or all of them, by id; None for one that there is not."""
        if ids is None:
            return {row_id.decode(): row for row_id, row in self._steps.hash(f"access:{kind}").items()}
        wanted, found = list(ids), []
        for begin in range(0, len(wanted), _ROWS):
            found += self._steps.command("HMGET", self._name(kind), *wanted[begin : begin + _ROWS])
        return dict(zip(wanted, found, strict=True))

    def key_by_digest(self, hashed: str) -> bytes | None:
        """The row of the key with this hash; None: there is none."""
        key_id: bytes | None = self._steps.command("HGET", self._name("digests"), hashed)
        return None if key_id is None else self.row(KEYS, key_id.decode())

    def version(self) -> int:
        """A number that grows with every change; 0 before the first."""
        return int(self._steps.command("GET", self._name("version")) or 0)

    def changed(self, since: int) -> list[tuple[str, str]]:
        """What was changed after version `since`, each as its kind and id."""
        found = self._steps.command("ZRANGE", self._name("changes"), f"({since}", "+inf", "BYSCORE")
        parted = (member.decode().partition(" ") for member in found)
        return [(kind, row_id) for kind, _, row_id in parted]

    def _write(self, kind: str, row_id: str, before: bytes, after: str, owner: str = "") -> int:
        if len(after) > _MOST_BYTES:
            raise InvalidRequest(f"a tenant or a key takes at most {_MOST_BYTES} bytes as JSON, not {len(after)}")
        return int(self._steps.run("access", kind, row_id, before, after, owner))

    def _name(self, name: str) -> str:
        return f"{self._steps.prefix}access:{name}"
