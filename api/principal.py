"""Who is calling: the caller's key, resolved."""

from dataclasses import dataclass

from flask import request

from api.context import TENANT, services
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
    """The caller of this request; Unauthenticated when the key is missing or not one of ours.

    Keys are in the configuration, in memory: a Redis that is away turns nobody into a stranger.
    """
    secret = given_key()
    if not secret:
        raise Unauthenticated("no API key: send it as `Authorization: Bearer YOUR_KEY`")
    access = services().directory.current.access(secret)
    if access is None:
        raise Unauthenticated("Incorrect API key provided: it is not known here, or its tenant is not active")
    request.environ[TENANT] = access[0].tenant_id
    return Principal(*access)


def given_key() -> str:
    """The key this request came with, in either header; empty where it came without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else request.headers.get("X-Api-Key", "").strip()
