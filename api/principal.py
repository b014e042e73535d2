"""Who is calling: the caller's key, resolved."""

from dataclasses import dataclass

from flask import request

from api.context import services
from config.access_key import AccessKey
from config.tenant import Tenant
from routing.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose key was found."""

    tenant: Tenant
    key: AccessKey

    @property
    def tenant_id(self) -> str:
        """The tenant's name."""
        return self.tenant.tenant_id


def authenticate() -> Principal:
    """The caller of this request; Unauthenticated when the key is missing, not one of ours, revoked or expired.

    Keys are in memory (workers/directory.py): a Redis that is away turns nobody into a stranger. StoreUnavailable for a
    key that only Redis could know then.
    """
    secret = given_key()
    if not secret:
        raise Unauthenticated("no API key: send it as `Authorization: Bearer YOUR_KEY`")
    return Principal(*services().directory.access(secret))


def given_key() -> str:
    """The key this request came with, in either header; empty where it came without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else request.headers.get("X-Api-Key", "").strip()
