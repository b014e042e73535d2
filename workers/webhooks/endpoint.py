"""A receiver of webhooks that a tenant has set up, as the store keeps it and as the API shows it."""

import json
from dataclasses import dataclass
from typing import Any

from workers.webhooks.events import ALL
from workers.webhooks.keyring import Keyring

PREFIX = "we_"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver. `events` are the names it wants, or only ALL."""

    id: str
    url: str
    events: tuple[str, ...]
    description: str
    disabled: bool
    # Why, where it was not its owner who did it; else empty.
    disabled_reason: str
    # Unix seconds.
    created_at: int
    keyring: Keyring

    @classmethod
    def parse(cls, endpoint_id: str, text: str | bytes) -> "Endpoint":
        """Read what `text` wrote."""
        kept = json.loads(text)
        return cls(
            id=endpoint_id,
            url=kept["url"],
            events=tuple(kept["events"]),
            description=kept["description"],
            disabled=kept["disabled"],
            disabled_reason=kept["disabled_reason"],
            created_at=kept["created_at"],
            keyring=Keyring.parse(kept["secrets"]),
        )

    @property
    def text(self) -> str:
        """As it is kept, in JSON; fan_out.lua reads `url`, `events` and `disabled` of it."""
        return json.dumps(
            {
                "url": self.url,
                "events": list(self.events),
                "description": self.description,
                "disabled": self.disabled,
                "disabled_reason": self.disabled_reason,
                "created_at": self.created_at,
                "secrets": self.keyring.text,
            }
        )

    def as_object(self) -> dict[str, Any]:
        """As the API shows it: without its secrets."""
        return {
            "id": self.id,
            "object": "webhook_endpoint",
            "url": self.url,
            "events": ALL if ALL in self.events else list(self.events),
            "description": self.description,
            "disabled": self.disabled,
            "disabled_reason": self.disabled_reason or None,
            "created_at": self.created_at,
        }
