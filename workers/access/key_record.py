"""A key made at run time, as the store keeps it and as the admin API shows it. Its secret is nowhere in it."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from config.access_key import SHOWN, AccessKey
from config.key_hash import digest
from config.tenant_schema import quotas_of

# What a secret that was made here looks like: anything else need not be looked for.
SECRET = re.compile(r"mr-[A-Za-z0-9_-]{43}")
ID = re.compile(r"key_[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key. Times are Unix seconds; hashes are hexadecimal digits of key_hash.digest."""

    id: str
    tenant_id: str
    # Which hash it is looked up by, and the one before it that is valid until `last_until`; empty: none.
    digest: str
    prefix: str
    created_at: int
    name: str = ""
    expires_at: float | None = None
    revoked_at: int | None = None
    last_digest: str = ""
    last_until: float = 0
    # As a tenant file's `quotas`, only what is limited.
    limits: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    # Counts the changes, so that an older state never takes the place of a newer one.
    revision: int = 1

    @classmethod
    def parse(cls, text: str | bytes) -> "KeyRecord":
        """Read what `text` wrote; ValueError or TypeError where it is no such thing."""
        kept = json.loads(text)
        for name in ("models", "providers"):
            kept[name] = None if kept.get(name) is None else tuple(kept[name])
        return cls(**kept)

    @property
    def text(self) -> str:
        """As it is kept, in JSON; access.lua reads `digest`, `last_digest` and `tenant_id` of it."""
        return json.dumps(asdict(self))

    def access_key(self) -> AccessKey:
        """What its caller is bound by; marshmallow's ValidationError for limits that this version does not know."""
        return AccessKey(
            id=self.id,
            tenant_id=self.tenant_id,
            name=self.name,
            prefix=self.prefix,
            quotas=quotas_of(self.limits),
            models=None if self.models is None else frozenset(self.models),
            providers=None if self.providers is None else frozenset(self.providers),
            expires_at=self.expires_at,
        )

    def refusal(self, hashed: str, now: float) -> str | None:
        """Why who has the secret with this hash is not let in at `now`; None where that one is."""
        if self.revoked_at is not None:
            return "this API key was revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "this API key has expired"
        if hashed != self.digest and not (hashed == self.last_digest and now < self.last_until):
            return "this API key was replaced by a new one"
        return None

    def rotated(self, secret: str, pepper: str | None, grace_s: float, now: float) -> "KeyRecord":
        """The same with another secret; the one before it is valid for `grace_s` more."""
        return replace(
            self,
            digest=digest(secret, pepper).hex(),
            prefix=secret[:SHOWN],
            last_digest=self.digest,
            last_until=now + grace_s,
            revision=self.revision + 1,
        )

    def as_object(self, now: float) -> dict[str, Any]:
        """As the admin API shows it."""
        status = "revoked" if self.revoked_at is not None else "active"
        if status == "active" and self.expires_at is not None and self.expires_at <= now:
            status = "expired"
        return {
            "id": self.id,
            "object": "access_key",
            "source": "runtime",
            "tenant_id": self.tenant_id,
            "name": self.name,
            "prefix": self.prefix,
            "status": status,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
            "previous_valid_until": self.last_until if self.last_until > now else None,
            "limits": dict(self.limits),
            "models": None if self.models is None else list(self.models),
            "providers": None if self.providers is None else list(self.providers),
            "metadata": dict(self.metadata),
        }


def new_secret() -> str:
    """A secret of 256 random bits."""
    return f"mr-{secrets.token_urlsafe(32)}"


def new_key(tenant_id: str, pepper: str | None, fields: Mapping[str, Any]) -> tuple[KeyRecord, str]:
    """A key with these `fields` of KeyRecord, and its secret, which is kept nowhere."""
    secret = new_secret()
    record = KeyRecord(
        id=f"key_{secrets.token_hex(12)}",
        tenant_id=tenant_id,
        digest=digest(secret, pepper).hex(),
        prefix=secret[:SHOWN],
        created_at=int(time.time()),
        **fields,
    )
    return record, secret


def file_key_object(key: AccessKey) -> dict[str, Any]:
    """A key of a tenant's file, as the admin API shows it beside the others."""
    record = KeyRecord(key.id, key.tenant_id, "", key.prefix, 0, key.name)
    return {**record.as_object(0), "source": "file", "created_at": None}
