"""Delivering webhooks: Standard Webhooks (https://www.standardwebhooks.com), signed, with retries that are durable.

The outbox holds every delivery until it is made or given up; this module makes one attempt at a time.
"""

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
from gevent.pool import Pool

from config.configuration import Configuration
from config.settings import Settings
from workers.ledger.ledger import Ledger
from workers.metrics.meter import Meter
from workers.metrics.metric import WEBHOOKS
from workers.webhooks.delivery import PREFIX, Delivery, DeliveryStatus
from workers.webhooks.happening import Happening
from workers.webhooks.keyring import Keyring
from workers.webhooks.retries import delay_s
from workers.webhooks.sender import Sender, Sent
from workers.webhooks.subjects import Subjects
from workers.webhooks.tenant_keyring import keyring_of

log = structlog.get_logger()

# Attempts of one process at once. They wait and do not compute; lane.lua bounds those to one host.
MAX_ATTEMPTS = 256
# When a process with that many looks at a delivery again.
CROWDED_MS = 5000


class Deliveries:
    """Makes attempts at deliveries."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        configuration: Callable[[], Configuration],
        subjects: Subjects,
        meter: Meter,
    ) -> None:
        self._endpoints, self._log = ledger.endpoints, ledger.deliveries
        self._configuration = configuration
        self._subjects = subjects
        self._meter = meter
        self._sender = Sender(
            settings.webhook_timeout_s, lambda: settings.webhook_allow_private or configuration().sandbox
        )
        self._rng = random.Random()  # noqa: S311 (jitter, not secrets)
        self._pool = Pool(MAX_ATTEMPTS)

    def due(self, member: str) -> list[str]:
        """The deliveries to be tried now for an entry of the outbox: itself, or one for each receiver of its news."""
        if member.startswith(PREFIX):
            return [member]
        happening = self._subjects.read(member)
        if happening is None:
            self._log.drop(member)
            return []
        ids, dropped = self._log.fan_out(member, happening)
        if dropped:
            log.error("webhook.dropped", tenant_id=happening.tenant, dropped=dropped, why="too many are undelivered")
        return ids

    def start(self, attempts: Callable[[str], None], delivery_id: str) -> None:
        """Run `attempts` beside others, outside of the worker's own pool, which serves others, too."""
        if self._pool.full():
            self._log.postpone(delivery_id, CROWDED_MS)
        else:
            self._pool.spawn(attempts, delivery_id)

    def settle(self, timeout_s: float) -> None:
        """Wait for the running attempts before the process ends."""
        self._pool.join(timeout_s)

    def attempt(self, delivery_id: str) -> str | None:
        """Make one attempt if it is its turn; the id of another delivery that can be tried now, where there is one."""
        delivery = self._log.read(delivery_id)
        if delivery is None or delivery.status is not DeliveryStatus.PENDING:
            self._log.drop(delivery_id)
            return None
        target = self._target(delivery)
        if isinstance(target, str):
            return self._log.end(delivery, target)
        url, keyring = target
        happening = self._subjects.read(delivery.subject)
        if happening is None:
            return self._log.end(delivery, f"{delivery.subject} is gone")
        host = urlsplit(url).hostname or ""
        if not self._log.begin(delivery_id, host, url):
            return None
        sent = self._post(delivery, url, keyring, happening)
        return self._record(delivery, host, sent)

    def _target(self, delivery: Delivery) -> tuple[str, Keyring] | str:
        """Where it goes and what signs it, as these are now; in words, why it cannot be sent."""
        if not delivery.endpoint:
            tenant = self._configuration().tenants.get(delivery.tenant)
            return delivery.url, keyring_of(self._endpoints, delivery.tenant, tenant)
        endpoint = self._endpoints.read(delivery.tenant, delivery.endpoint)
        if endpoint is None:
            return "the endpoint was deleted"
        if endpoint.disabled:
            return "the endpoint is disabled"
        return endpoint.url, endpoint.keyring

    def _post(self, delivery: Delivery, url: str, keyring: Keyring, happening: Happening) -> Sent:
        now_ms = int(time.time() * 1000)
        message_id = delivery.message_id
        occurred = datetime.fromtimestamp(delivery.occurred_ms / 1000, UTC)
        told = {"type": delivery.event, "timestamp": occurred.isoformat(), "data": happening.data}
        body = json.dumps(told).encode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(now_ms // 1000),
            "webhook-signature": keyring.signatures(message_id, now_ms, body),
        }
        return self._sender.post(url, headers, body)

    def _record(self, delivery: Delivery, host: str, sent: Sent) -> str | None:
        delay = delay_s(delivery.tries + 1, sent.retry_after_s, self._rng)
        if sent.taken:
            status = DeliveryStatus.DELIVERED
        elif sent.gone or delay is None:
            status = DeliveryStatus.FAILED
        else:
            status = DeliveryStatus.PENDING
        if sent.gone and delivery.endpoint:
            self._endpoints.disable(delivery.tenant, delivery.endpoint, "it answered 410 Gone")
        following = self._log.record(delivery, host, sent, status, int((delay or 0) * 1000))
        self._meter.count(WEBHOOKS, (status.value,))
        log.info(
            "webhook.attempted",
            delivery_id=delivery.id,
            subject=delivery.subject,
            outcome=status.value,
            detail=sent.error or str(sent.status),
            attempt=delivery.tries + 1,
        )
        return following
