"""The way back for lost work: every worker process looks at what is due. No leader, so no single point of failure."""

import random
from collections.abc import Callable

import gevent
import structlog

from routing.errors import StoreUnavailable
from workers.ledger.ledger import Ledger
from workers.metrics.meter import Meter
from workers.metrics.metric import RESCUED

log = structlog.get_logger()

# One round of the loop goes on while there is this much to do, so a burst does not wait for the next round.
BATCH = 100


class Rescue:
    """Gives back jobs whose message or worker was lost, expires what is past its deadline, empties the outbox."""

    def __init__(
        self, ledger: Ledger, *, interval_s: float, grace_s: float, publish_webhook: Callable[[str], None], meter: Meter
    ) -> None:
        self._ledger = ledger
        self._interval_s = interval_s
        self._grace_s = grace_s
        self._publish_webhook = publish_webhook
        self._meter = meter

    def once(self) -> int:
        """Look at what is due now; returns how many jobs and deliveries were moved."""
        moved = 0
        while True:
            done = self._ledger.rescue(BATCH)
            for what, job_id in done:
                self._meter.count(RESCUED, (what,))
                if what == "webhook":
                    self._publish_webhook(job_id)
                elif what != "unstored":
                    log.info("job.rescued", why=what, job_id=job_id)
            moved += len(done)
            if len(done) < BATCH:
                return moved

    def run(self) -> None:
        """Look for ever.

        After a start, and after an outage of Redis, running jobs get the time of a few heartbeats to show that they
        are alive: their leases lapsed because nobody could extend them.
        """
        settling = True
        while True:
            # Spread, so that many processes do not look in the same moment.
            gevent.sleep(self._grace_s if settling else self._interval_s * random.uniform(0.75, 1.25))  # noqa: S311
            try:
                self.once()
                settling = False
            except StoreUnavailable:
                settling = True
