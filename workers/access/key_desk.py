"""What an operator does with keys, by the admin API or the command line: checked, written, known here at once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from config.access_key import AccessKey
from config.fields import unknown_message
from config.settings import Settings
from routing.access_errors import AccessConflict
from routing.errors import InvalidRequest, ModelNotFound, NotFound
from workers.access.key_record import KeyRecord, file_key_object, new_key, new_secret
from workers.access.store import KEYS
from workers.directory import Directory
from workers.requests import admin_schema

# How long the secret before a rotation is valid, unless said otherwise.
USUAL_GRACE_S = 86_400.0


class KeyDesk:
    """Bodies are as /admin/v1/keys takes them; raises InvalidRequest, NotFound, AccessConflict, StoreUnavailable."""

    def __init__(self, directory: Directory, settings: Settings) -> None:
        self._directory = directory
        self._book = directory.book
        self._settings = settings

    def create(self, body: dict[str, Any]) -> tuple[KeyRecord, str]:
        """A new key and its secret, which is shown once and kept nowhere."""
        admin_schema.check_key(body)
        fields = self._fields(body)
        tenant_id = body["tenant_id"]
        if self._directory.tenant(tenant_id) is None:
            raise InvalidRequest(f"tenant_id: there is no tenant {tenant_id!r}", param="tenant_id")
        record, secret = new_key(tenant_id, self._settings.key_pepper, fields)
        in_file = tenant_id in self._directory.current.configuration.tenants
        self._book.store.create_key(record, tenant_is_stored=not in_file)
        self._book.note(record)
        return record, secret

    def all(self, tenant_id: str | None = None) -> list[dict[str, Any]]:
        """Every key, of one tenant or of all: those made at run time, the newest first, then those of files."""
        self._book.sync()
        now = time.time()
        made = (known.record.as_object(now) for known in self._book.all_keys())
        written = sorted(self._directory.current.keys.values(), key=lambda key: (key.tenant_id, key.id))
        shown = [*made, *map(file_key_object, written)]
        return [key for key in shown if tenant_id is None or key["tenant_id"] == tenant_id]

    def show(self, key_id: str) -> dict[str, Any]:
        """One key, without its secret."""
        in_file = self._in_file(key_id)
        if in_file is not None:
            return file_key_object(in_file)
        self._book.sync()
        known = self._book.key(key_id)
        if known is None:
            raise _unknown(key_id)
        return known.record.as_object(time.time())

    def change(self, key_id: str, body: dict[str, Any]) -> KeyRecord:
        """Change what is given, and leave the rest."""
        admin_schema.check_key_change(body)
        fields = self._fields(body)
        return self._changed(key_id, lambda record: replace(record, **fields))

    def rotate(self, key_id: str, grace_s: float) -> tuple[KeyRecord, str]:
        """Put a new secret in force, which is shown once; the one before it is valid for `grace_s` more."""
        secret, now = new_secret(), time.time()

        def rotated(record: KeyRecord) -> KeyRecord:
            if record.revoked_at is not None:
                raise AccessConflict(f"key {key_id} was revoked; create another")
            return record.rotated(secret, self._settings.key_pepper, grace_s, now)

        return self._changed(key_id, rotated), secret

    def revoke(self, key_id: str) -> KeyRecord:
        """Let it in no more; nothing changes where it was revoked before."""
        now = int(time.time())
        return self._changed(key_id, lambda record: replace(record, revoked_at=record.revoked_at or now))

    def delete(self, key_id: str) -> None:
        """Revoke it, and forget it; what it used stays on record."""
        self._refuse_file(key_id)
        if not self._book.store.delete(KEYS, key_id):
            raise _unknown(key_id)
        self._book.drop(KEYS, key_id)

    def _changed(self, key_id: str, change: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        self._refuse_file(key_id)
        record = self._book.store.change_key(key_id, change)
        self._book.note(record)
        return record

    def _fields(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of KeyRecord in a checked body; InvalidRequest for a name that there is not, or a time gone by."""
        fields: dict[str, Any] = {}
        if "name" in body:
            fields["name"] = body["name"]
        if "metadata" in body:
            fields["metadata"] = body["metadata"] or {}
        if "limits" in body:
            given = body["limits"] or {}
            # No warning is something else than the usual one; of all other limits null is none.
            fields["limits"] = {
                name: limit for name, limit in given.items() if limit is not None or name == "budget_warning"
            }
        if "expires_at" in body:
            fields["expires_at"] = _to_come(body["expires_at"])
        for name, check in (("models", self._check_model), ("providers", self._check_provider)):
            if name in body:
                given = body[name]
                for place, word in enumerate(given or ()):
                    check(f"{name}[{place}]", word)
                fields[name] = None if given is None else tuple(given)
        return fields

    def _check_model(self, where: str, name: str) -> None:
        try:
            self._directory.current.catalogue.find(name)
        except ModelNotFound as error:
            raise InvalidRequest(f"{where}: {error.message}", param=where) from None

    def _check_provider(self, where: str, name: str) -> None:
        known = self._directory.current.configuration.providers
        if name not in known:
            raise InvalidRequest(f"{where}: {unknown_message('provider', name, known)}", param=where)

    def _in_file(self, key_id: str) -> AccessKey | None:
        return self._directory.current.keys_by_id.get(key_id)

    def _refuse_file(self, key_id: str) -> None:
        in_file = self._in_file(key_id)
        if in_file is not None:
            folder = self._settings.config_dir / "tenants"
            raise AccessConflict(f"key {key_id} stands in the file of tenant {in_file.tenant_id!r} in {folder}")


def _to_come(given: float | None) -> float | None:
    if given is not None and given <= time.time():
        raise InvalidRequest("expires_at: must be a time to come, in Unix seconds", param="expires_at")
    return given


def _unknown(key_id: str) -> NotFound:
    return NotFound(f"there is no key {key_id[:80]!r}")
