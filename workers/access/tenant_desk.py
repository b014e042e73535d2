"""What an operator does with tenants, by the admin API or the command line: checked, written, known here at once."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config.references import tenant_problems
from config.settings import Settings
from config.tenant_schema import RuntimeTenantSchema, tenant_of
from routing.access_errors import AccessConflict
from routing.errors import InvalidRequest, NotFound
from workers.access.store import TENANTS
from workers.access.tenant_record import TenantRecord, shown_tenant
from workers.directory import Directory
from workers.requests import admin_schema

_SCHEMA = RuntimeTenantSchema()


class TenantDesk:
    """Bodies are as /admin/v1/tenants takes them; raises InvalidRequest, NotFound, AccessConflict, StoreUnavailable."""

    def __init__(self, directory: Directory, settings: Settings) -> None:
        self._directory = directory
        self._book = directory.book
        self._settings = settings

    def create(self, body: dict[str, Any]) -> TenantRecord:
        """A new tenant, without a key."""
        admin_schema.check_tenant(body)
        tenant_id = body["tenant_id"]
        if tenant_id in self._directory.current.configuration.tenants:
            raise AccessConflict(f"there is a tenant {tenant_id!r} already, {self._where()}", param="tenant_id")
        now = int(time.time())
        data = {name: value for name, value in body.items() if name != "tenant_id"}
        record = TenantRecord(tenant_id, data, now, now)
        self._check_names(tenant_id, data)
        self._book.store.create_tenant(record)
        self._book.note(record)
        return record

    def all(self) -> list[dict[str, Any]]:
        """Every tenant by its id. One that has a file is what the file says."""
        self._book.sync()
        made = {tenant_id: known.record.as_object() for tenant_id, known in self._book.tenants().items()}
        written = {name: shown_tenant(tenant) for name, tenant in self._directory.current.configuration.tenants.items()}
        return [shown for _, shown in sorted({**made, **written}.items())]

    def show(self, tenant_id: str) -> dict[str, Any]:
        """One tenant, without keys or secrets."""
        in_file = self._directory.current.configuration.tenants.get(tenant_id)
        if in_file is not None:
            return shown_tenant(in_file)
        self._book.sync()
        known = self._book.tenant(tenant_id)
        if known is None:
            raise _unknown(tenant_id)
        return known.record.as_object()

    def change(self, tenant_id: str, body: dict[str, Any]) -> TenantRecord:
        """Change what is given, and leave the rest."""
        admin_schema.check_tenant_change(body)
        self._refuse_file(tenant_id)

        def changed(record: TenantRecord) -> TenantRecord:
            data = {**record.data, **body}
            self._check_names(tenant_id, data)
            return replace(record, data=data, updated_at=int(time.time()))

        record = self._book.store.change_tenant(tenant_id, changed)
        self._book.note(record)
        return record

    def delete(self, tenant_id: str) -> None:
        """Forget a tenant and all its keys, which work no more. Its jobs are kept as long as any."""
        self._refuse_file(tenant_id)
        if not self._book.store.delete(TENANTS, tenant_id):
            raise _unknown(tenant_id)
        self._book.drop(TENANTS, tenant_id)

    def _check_names(self, tenant_id: str, data: Mapping[str, Any]) -> None:
        """InvalidRequest for a provider or a policy that there is not."""
        configuration = self._directory.current.configuration
        tenant = tenant_of(_SCHEMA.load({**data, "tenant_id": tenant_id}))
        for problem in tenant_problems("", tenant, configuration.providers, configuration.policies):
            raise InvalidRequest(str(problem), param=problem.path)

    def _refuse_file(self, tenant_id: str) -> None:
        if tenant_id in self._directory.current.configuration.tenants:
            raise AccessConflict(f"tenant {tenant_id!r} is not changed here: it stands {self._where()}")

    def _where(self) -> str:
        return f"in a file in {self._settings.config_dir / 'tenants'}"


def _unknown(tenant_id: str) -> NotFound:
    return NotFound(f"there is no tenant {tenant_id[:80]!r}")
