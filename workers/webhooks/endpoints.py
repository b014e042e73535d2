"""The store of tenants' webhook endpoints and secrets. Every change is made only if nobody was faster."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from routing.errors import NotFound, StoreUnavailable, WebhookConflict
from workers.ledger.steps import Steps
from workers.signature import new_secret
from workers.webhooks.endpoint import PREFIX, Endpoint
from workers.webhooks.keyring import Keyring

MAX_ENDPOINTS = 20
_FULL = -1
# How often a change is tried that others' changes come before.
_TRIES = 20


class Endpoints:
    """Each method is one round trip, or a few where something is changed; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def create(self, tenant: str, url: str, events: tuple[str, ...], description: str, *, disabled: bool) -> Endpoint:
        """A new endpoint with a secret of its own; WebhookConflict where there are MAX_ENDPOINTS."""
        made = Endpoint(
            id=f"{PREFIX}{secrets.token_hex(16)}",
            url=url,
            events=events,
            description=description,
            disabled=disabled,
            disabled_reason="",
            created_at=int(time.time()),
            keyring=Keyring(new_secret()),
        )
        if self._swap(_key(tenant), made.id, "", made.text) == _FULL:
            raise WebhookConflict(f"there are {MAX_ENDPOINTS} webhook endpoints, and no more may be; delete one first")
        return made

    def all(self, tenant: str) -> list[Endpoint]:
        """Every endpoint of the tenant, the newest first."""
        kept = self._steps.hash(_key(tenant))
        found = [Endpoint.parse(name.decode(), text) for name, text in kept.items()]
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.id), reverse=True)

    def read(self, tenant: str, endpoint_id: str) -> Endpoint | None:
        """One of them; None when the tenant has no such endpoint."""
        text = self._steps.command("HGET", f"{self._steps.prefix}{_key(tenant)}", endpoint_id)
        return None if text is None else Endpoint.parse(endpoint_id, text)

    def change(self, tenant: str, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """What `change` makes of the endpoint; NotFound when there is none. `change` may be asked again."""
        for _ in range(_TRIES):
            text = self._steps.command("HGET", f"{self._steps.prefix}{_key(tenant)}", endpoint_id)
            if text is None:
                raise NotFound(f"there is no webhook endpoint {endpoint_id[:80]!r}")
            changed = change(Endpoint.parse(endpoint_id, text))
            if self._swap(_key(tenant), endpoint_id, text, changed.text):
                return changed
        raise StoreUnavailable("the webhook endpoint is being changed all the time; try again", retry_after_s=1)

    def disable(self, tenant: str, endpoint_id: str, reason: str) -> None:
        """Send it nothing more, for `reason`; nothing happens where there is none."""
        try:
            self.change(tenant, endpoint_id, lambda found: replace(found, disabled=True, disabled_reason=reason))
        except NotFound:
            return

    def delete(self, tenant: str, endpoint_id: str) -> bool:
        """Drop it; False when the tenant has no such endpoint."""
        return bool(self._steps.command("HDEL", f"{self._steps.prefix}{_key(tenant)}", endpoint_id))

    def tenant_keyring(self, tenant: str) -> Keyring:
        """The secrets that sign what goes to a request's own URL, made on first use."""
        return Keyring.parse(self._tenant_secrets(tenant))

    def rotate_tenant(self, tenant: str, grace_s: float) -> Keyring:
        """Put a new secret in force."""
        for _ in range(_TRIES):
            kept = self._tenant_secrets(tenant)
            now_ms = int(time.time() * 1000)
            rotated = Keyring.parse(kept).rotated(new_secret(), now_ms, int(grace_s * 1000))
            if self._swap(_secret_key(tenant), "", kept, rotated.text):
                return rotated
        raise StoreUnavailable("the webhook secret is being changed all the time; try again", retry_after_s=1)

    def rotate(self, tenant: str, endpoint_id: str, grace_s: float) -> Endpoint:
        """Put a new secret of one endpoint in force; NotFound when there is none."""
        fresh, now_ms = new_secret(), int(time.time() * 1000)

        def rotated(found: Endpoint) -> Endpoint:
            return replace(found, keyring=found.keyring.rotated(fresh, now_ms, int(grace_s * 1000)))

        return self.change(tenant, endpoint_id, rotated)

    def _tenant_secrets(self, tenant: str) -> str:
        fresh = new_secret()
        kept: bytes | None = self._steps.command(
            "SET", f"{self._steps.prefix}{_secret_key(tenant)}", fresh, "NX", "GET"
        )
        return fresh if kept is None else kept.decode()

    def _swap(self, key: str, field: str, before: str | bytes, after: str) -> int:
        return int(self._steps.run("swap", key, field, before, after, MAX_ENDPOINTS))


def _key(tenant: str) -> str:
    return f"endpoints:{tenant}"


def _secret_key(tenant: str) -> str:
    return f"webhook_secret:{tenant}"
