"""Delivering webhooks: Standard Webhooks (https://www.standardwebhooks.com), signed, with retries that are durable.

The ledger's outbox holds every delivery until it is made; this module makes one attempt at a time.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import gevent
import requests
import requests_hardened
import structlog

from config.configuration import Configuration
from config.settings import Settings
from workers.ledger.ledger import Ledger
from workers.ledger.record import JobRecord
from workers.signature import sign
from workers.webhook_secret import secret_of

log = structlog.get_logger()

# Before the second attempt, the third and so on: the schedule Standard Webhooks suggests.
RETRY_DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
TIMEOUT_S = 20.0


class Deliveries:
    """Makes attempts at deliveries. Refuses addresses inside the network unless the operator allows them."""

    def __init__(self, ledger: Ledger, settings: Settings, configuration: Callable[[], Configuration]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._configuration = configuration

    def deliver(self, job_id: str) -> None:
        """Make one attempt at the webhook of `job_id` and record how it went."""
        job = self._ledger.read(job_id)
        if job is None or job.webhook is None:
            self._ledger.record_delivery(job_id, "failed", "the job is gone", ())
            return
        outcome, detail = self._post(job, job.webhook)
        made = self._ledger.record_delivery(job_id, outcome, detail, [delay * 1000 for delay in RETRY_DELAYS_S])
        log.info("webhook.attempted", job_id=job_id, outcome=outcome, detail=detail, attempt=made)

    def _post(self, job: JobRecord, url: str) -> tuple[str, str]:
        """Send the event; returns the outcome for the ledger and what the receiver or the network said."""
        timestamp = int(time.time())
        # The same for every attempt at this delivery: receivers drop what they have seen by it.
        message_id = f"msg_{job.id.removeprefix('job_')}"
        body = json.dumps(
            {
                "type": f"job.{job.status.value}",
                "timestamp": datetime.fromtimestamp(timestamp, UTC).isoformat(),
                "data": job.as_object(),
            }
        ).encode()
        secret = secret_of(self._ledger, job.tenant, self._configuration().tenants.get(job.tenant))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, message_id, timestamp, body),
        }
        try:
            with gevent.Timeout(TIMEOUT_S), self._client().get_session() as session:
                # Streamed and closed unread: what a receiver answers is of no use here, and may be endless.
                response = session.request("POST", url, data=body, headers=headers, stream=True)
                status = response.status_code
                response.close()
        except gevent.Timeout:
            return "retry", f"no answer within {TIMEOUT_S:.0f} s"
        except (requests.RequestException, OSError, ValueError) as error:
            return "retry", type(error).__name__
        if 200 <= status < 300:
            return "delivered", str(status)
        # 410 Gone: the receiver wants no more (Standard Webhooks).
        return ("failed" if status == 410 else "retry"), str(status)

    def _client(self) -> requests_hardened.Manager:
        open_network = self._settings.webhook_allow_private or self._configuration().sandbox
        return requests_hardened.Manager(
            requests_hardened.Config(
                ip_filter_enable=not open_network,
                ip_filter_allow_loopback_ips=open_network,
                never_redirect=True,
                default_timeout=(5, TIMEOUT_S),
                user_agent_override="model-router",
            )
        )
