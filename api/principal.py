"""Who is calling: the caller's key, resolved."""

from dataclasses import dataclass

from flask import request

from api.context import services
from config.tenant import Tenant
from routing.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose key was found."""

    tenant: Tenant

    @property
    def tenant_id(self) -> str:
        """The tenant's name."""
        return self.tenant.tenant_id


def authenticate() -> Principal:
    """The caller of this request; Unauthenticated when the key is missing or not one of ours.

    Keys are in the configuration, in memory: a Redis that is away turns nobody into a stranger.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else request.headers.get("X-Api-Key", "").strip()
    if not key:
        raise Unauthenticated("no API key: send it as `Authorization: Bearer YOUR_KEY`")
    tenant = services().directory.current.tenant_of(key)
    if tenant is None:
        raise Unauthenticated("Incorrect API key provided: it is not known here, or its tenant is not active")
    return Principal(tenant)
