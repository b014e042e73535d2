"""/v1/provider-keys: the keys that a tenant brings for providers. They are written, and never read back."""

import time
from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.provider_key_shapes import PROVIDER_KEY, PROVIDER_KEY_DELETED, PROVIDER_KEYS
from api.principal import Principal, authenticate
from config.fields import NAME
from config.own_key import OwnKey
from routing.credential_errors import EncryptionKeyMissing, ProviderKeyConflict
from routing.errors import NotFound
from workers.own_keys.stored import StoredKey, last_of
from workers.requests import provider_key_schema

blueprint = Blueprint("provider_keys", __name__, url_prefix="/v1/provider-keys")
_PROVIDER = Parameter("provider", "path", "A provider's name.", {"type": "string", "pattern": f"^{NAME.pattern}$"})


@blueprint.get("")
@documented(
    Operation(
        tag="Provider keys",
        summary="List your own provider keys",
        answers=(found(PROVIDER_KEYS, "All of them."), *refused(401, 503)),
    )
)
def index() -> Response:
    """For which providers there is a key of yours. The keys themselves are not told."""
    principal = authenticate()
    shown = [entry for provider in _providers(principal) if (entry := _shown(principal, provider)) is not None]
    return replies.as_json({"object": "list", "data": shown})


@blueprint.get("/<provider>")
@documented(
    Operation(
        tag="Provider keys",
        summary="Look whether there is a key of yours",
        parameters=(_PROVIDER,),
        answers=(found(PROVIDER_KEY, "There is one."), *refused(401, 404, 503)),
    )
)
def show(provider: str) -> Response:
    """That there is one, its last four characters and when it was set."""
    principal = authenticate()
    _check(principal, provider)
    entry = _shown(principal, provider)
    if entry is None:
        raise NotFound(f"there is no key of yours for {provider}")
    return replies.as_json(entry)


@blueprint.put("/<provider>")
@documented(
    Operation(
        tag="Provider keys",
        summary="Bring your own key",
        parameters=(_PROVIDER,),
        body=provider_key_schema.ProviderKeySchema,
        example={"api_key": "gsk_your_own_key_at_groq"},
        answers=(found(PROVIDER_KEY, "It is stored."), *refused(400, 401, 404, 409, 413, 415, 503)),
    )
)
def put(provider: str) -> Response:
    """From now on your calls to this provider go out with this key, and with no other. One before it is replaced.

    It is stored sealed. A call that the provider refuses with it goes to the next candidate, and to the account that
    all tenants share only with `fallback_to_shared`.
    """
    principal = authenticate()
    body = read_json_object()
    provider_key_schema.check(body)
    _check_changeable(principal, provider)
    parts, secret = services(), body["api_key"]
    if not parts.sealing.ready:
        raise EncryptionKeyMissing(
            "no keys can be stored here: whoever runs this router has not set MODEL_ROUTER_ENCRYPTION_KEY"
        )
    sealed = parts.sealing.seal(principal.tenant_id, provider, secret)
    fallback = bool(body.get("fallback_to_shared"))
    kept = StoredKey(0, sealed, last_of(secret), int(time.time()), fallback)
    parts.ledger.own_keys.put(principal.tenant_id, provider, kept)
    parts.own_keys.refresh()
    return replies.as_json(_entry(provider, kept))


@blueprint.delete("/<provider>")
@documented(
    Operation(
        tag="Provider keys",
        summary="Take your key away",
        parameters=(_PROVIDER,),
        answers=(found(PROVIDER_KEY_DELETED, "It is gone."), *refused(401, 404, 409, 503)),
    )
)
def delete(provider: str) -> Response:
    """Jobs that come from now on are as if there had been none; those accepted before end without this provider."""
    principal = authenticate()
    _check_changeable(principal, provider)
    parts = services()
    if not parts.ledger.own_keys.delete(principal.tenant_id, provider):
        raise NotFound(f"there is no key of yours for {provider}")
    parts.own_keys.refresh()
    return replies.as_json({"provider": provider, "object": "provider_key.deleted", "deleted": True})


def _providers(principal: Principal) -> list[str]:
    """The providers of which the caller may know: its tenant's, as far as its own key may use them."""
    allowed = principal.key.providers
    return sorted(name for name in principal.tenant.providers if allowed is None or name in allowed)


def _check(principal: Principal, provider: str) -> None:
    if provider not in _providers(principal):
        raise NotFound(f"there is no provider {provider[:80]!r} for this key")


def _check_changeable(principal: Principal, provider: str) -> None:
    _check(principal, provider)
    if provider in principal.tenant.own_keys:
        raise ProviderKeyConflict(
            f"the key for {provider} stands in the tenant's file: whoever runs this router changes it there"
        )
    row = services().directory.current.configuration.providers.get(provider)
    if row is not None and row.keyless:
        raise ProviderKeyConflict(f"{provider} is a server without keys")


def _shown(principal: Principal, provider: str) -> dict[str, Any] | None:
    key = principal.tenant.own_keys.get(provider)
    if key is not None:
        return _entry_of_file(provider, key)
    kept = services().ledger.own_keys.read(principal.tenant_id, provider)
    return None if kept is None else _entry(provider, kept)


def _entry(provider: str, kept: StoredKey) -> dict[str, Any]:
    return {
        "provider": provider,
        "object": "provider_key",
        "source": "stored",
        "last4": kept.last4,
        "set_at": kept.set_at,
        "fallback_to_shared": kept.fallback_to_shared,
    }


def _entry_of_file(provider: str, key: OwnKey) -> dict[str, Any]:
    return {
        "provider": provider,
        "object": "provider_key",
        "source": "file",
        "last4": last_of(key.secret or ""),
        "set_at": None,
        "fallback_to_shared": key.fallback_to_shared,
    }
