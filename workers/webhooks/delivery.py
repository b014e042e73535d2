"""One webhook for one receiver, with how its attempts went."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PREFIX = "dlv_"


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    # It is tried, or will be.
    PENDING = "pending"
    DELIVERED = "delivered"
    # It is not tried any more.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """As the store keeps it. Times are Unix ms."""

    id: str
    tenant: str
    # The id of what is told of.
    subject: str
    event: str
    occurred_ms: int
    # The endpoint it is for; empty where a request named the URL itself.
    endpoint: str
    url: str
    created_ms: int
    status: DeliveryStatus
    # Attempts since it was made, or since it was asked for again.
    tries: int
    next_ms: int | None
    # Why it ended without an attempt; else empty.
    detail: str
    # The last of them, as recorded.
    attempts: tuple[dict[str, Any], ...]

    @classmethod
    def parse(cls, delivery_id: str, kept: Mapping[bytes, bytes]) -> "Delivery":
        """Read the hash that fan_out.lua wrote."""

        def word(name: bytes) -> str:
            return kept.get(name, b"").decode()

        return cls(
            id=delivery_id,
            tenant=word(b"tenant"),
            subject=word(b"subject"),
            event=word(b"event"),
            occurred_ms=int(float(kept[b"occurred"])),
            endpoint=word(b"endpoint"),
            url=word(b"url"),
            created_ms=int(float(kept[b"created"])),
            status=DeliveryStatus(word(b"status")),
            tries=int(kept[b"tries"]),
            next_ms=int(float(kept[b"next"])) if b"next" in kept else None,
            detail=word(b"detail"),
            attempts=tuple(json.loads(kept.get(b"attempts", b"[]"))),
        )

    @property
    def message_id(self) -> str:
        """The `webhook-id`: the same for every attempt, and for every receiver of the same event."""
        return f"msg_{self.subject.partition('_')[2]}_{self.occurred_ms}"

    def as_object(self) -> dict[str, Any]:
        """As the API lists it, without its attempts."""
        return {
            "id": self.id,
            "object": "webhook_delivery",
            "event": self.event,
            "subject": self.subject,
            "endpoint": self.endpoint or None,
            "url": self.url,
            "status": self.status.value,
            "created_at": self.created_ms / 1000,
            "next_attempt_at": None if self.next_ms is None else self.next_ms / 1000,
            "attempts_made": self.tries,
            "error": None if self.status is DeliveryStatus.DELIVERED else self._fault(),
        }

    def _fault(self) -> str | None:
        if self.detail or not self.attempts:
            return self.detail or None
        last = self.attempts[-1]
        return last["error"] or f"HTTP {last['status_code']}"
