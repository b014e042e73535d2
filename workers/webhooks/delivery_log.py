"""The store of deliveries: who is to be told what and when, and how it went. Each method is one atomic step."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.settings import Settings
from workers.ledger.steps import Steps
from workers.webhooks.delivery import Delivery, DeliveryStatus
from workers.webhooks.happening import Happening
from workers.webhooks.sender import Sent

# How many deliveries one step looks at.
_LOOK = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: empty is any. Times are Unix ms."""

    status: str = ""
    event: str = ""
    endpoint: str = ""
    from_ms: int = 0
    to_ms: int = 2**53


@dataclass(frozen=True, slots=True)
class Page:
    """Some deliveries, the newest first; `last` is the last one looked at, where the next page goes on."""

    deliveries: tuple[Delivery, ...]
    last: str
    more: bool


class DeliveryLog:
    """Every step may be repeated safely. StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps, settings: Settings) -> None:
        self._steps = steps
        self._most = settings.webhook_deliveries
        # An attempt that does not report back within this was lost with its process.
        self._lease_ms = int(settings.webhook_timeout_s * 1500) + 1000

    def fan_out(self, subject: str, happening: Happening) -> tuple[list[str], int]:
        """One delivery for each receiver, in place of the outbox's entry; their ids, to be tried now.

        Also how many undelivered ones of the tenant were dropped, since it has too many.
        """
        return self._fan_out(subject, happening, "")

    def test(self, subject: str, happening: Happening, endpoint: str) -> str | None:
        """One delivery for one endpoint, due now; None where it is not there any more."""
        ids, _ = self._fan_out(subject, happening, endpoint)
        return ids[0] if ids else None

    def drop(self, member: str) -> None:
        """Forget what has nobody to tell of."""
        self._steps.command("ZREM", f"{self._steps.prefix}outbox", member)

    def postpone(self, member: str, delay_ms: int) -> None:
        """Look at it again later."""
        self._steps.run("postpone", member, delay_ms)

    def read(self, delivery_id: str, tenant: str | None = None) -> Delivery | None:
        """One delivery; None when there is none, or `tenant` is given and it is not that tenant's."""
        kept = self._steps.hash(f"delivery:{delivery_id}")
        if not kept or (tenant is not None and kept[b"tenant"].decode() != tenant):
            return None
        return Delivery.parse(delivery_id, kept)

    def begin(self, delivery_id: str, host: str, url: str) -> bool:
        """Take the delivery for one attempt; False when it is not due, taken, or waits for others to its host."""
        return bool(self._steps.run("begin", delivery_id, host, url, self._lease_ms))

    def record(self, delivery: Delivery, host: str, sent: Sent, status: DeliveryStatus, delay_ms: int) -> str | None:
        """Note an attempt; PENDING: there is another after `delay_ms`. The id of the next to be tried at the host."""
        attempt = {
            "started_at": round(sent.started_at, 3),
            "status_code": sent.status,
            "error": sent.error or None,
            "duration_ms": sent.duration_ms,
        }
        return self._record(delivery, host, status, delay_ms, json.dumps(attempt), "")

    def end(self, delivery: Delivery, detail: str) -> str | None:
        """Give the delivery up without an attempt, for the reason `detail`; as `record`."""
        return self._record(delivery, "", DeliveryStatus.FAILED, 0, "", detail)

    def page(self, tenant: str, wanted: Wanted, after: str, limit: int) -> Page | None:
        """Up to `limit` deliveries older than `after` (empty: from the newest on); None when that one is gone."""
        reply = self._steps.run(
            "deliveries",
            *(tenant, after, limit, _LOOK, wanted.from_ms, wanted.to_ms),
            *(wanted.status, wanted.event, wanted.endpoint),
        )
        if not reply:
            return None
        more, last, *flat = reply
        found = (
            Delivery.parse(name.decode(), dict(zip(fields[::2], fields[1::2], strict=True)))
            for name, fields in zip(flat[::2], flat[1::2], strict=True)
        )
        return Page(tuple(found), last.decode(), bool(more))

    def redeliver(self, tenant: str, ids: Sequence[str]) -> int:
        """Have ended deliveries of the tenant tried again, from now on, with a whole schedule; how many there were."""
        return int(self._steps.run("redeliver", tenant, *ids))

    def _fan_out(self, subject: str, happening: Happening, only: str) -> tuple[list[str], int]:
        reply: list[Any] = self._steps.run(
            "fan_out",
            *(subject, happening.tenant, happening.event, happening.occurred_ms, happening.url, only),
            # Nobody here goes on with a test: it is due at once.
            *(0 if only else self._lease_ms, self._most),
        )
        return [delivery_id.decode() for delivery_id in reply[1:]], reply[0]

    def _record(
        self, delivery: Delivery, host: str, status: DeliveryStatus, delay_ms: int, attempt: str, detail: str
    ) -> str | None:
        words = (delivery.id, host, delivery.tries, status.value, delay_ms, attempt, detail, self._lease_ms)
        following: bytes = self._steps.run("delivery", *words)
        return following.decode() or None
