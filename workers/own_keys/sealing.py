"""Seals the provider keys that tenants store: Fernet, by the keys in MODEL_ROUTER_ENCRYPTION_KEY (decision 0011)."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unreadable(Exception):
    """What is stored cannot be opened: by none of the encryption keys, or it is another tenant's or provider's."""


class Sealing:
    """Seals with the first of its keys, and opens with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` are Fernet's, as the settings have checked them; without any nothing can be sealed or opened."""
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    @property
    def ready(self) -> bool:
        """Whether there is a key to seal with."""
        return self._fernet is not None

    def seal(self, tenant: str, provider: str, secret: str) -> str:
        """The secret, sealed together with whose it is, so that it opens in no other place."""
        if self._fernet is None:
            raise Unreadable("there is no encryption key")
        return self._fernet.encrypt(json.dumps([tenant, provider, secret]).encode()).decode()

    def open(self, tenant: str, provider: str, sealed: str) -> str:
        """The secret that was sealed for this tenant and provider; Unreadable where it cannot be had."""
        if self._fernet is None:
            raise Unreadable("MODEL_ROUTER_ENCRYPTION_KEY is not set")
        try:
            owner, account, secret = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            # Without its cause: nothing of what was opened may be told.
            raise Unreadable("no key of MODEL_ROUTER_ENCRYPTION_KEY opens it") from None
        if (owner, account) != (tenant, provider):
            raise Unreadable("it was sealed for another tenant or provider")
        return str(secret)

    def sealed_anew(self, tenant: str, provider: str, sealed: str) -> str:
        """The same secret, sealed with the first key."""
        return self.seal(tenant, provider, self.open(tenant, provider, sealed))
