"""The jobs this process is running, and the heartbeat that keeps them its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import structlog

from routing.errors import StoreUnavailable
from workers.ledger.ledger import Ledger

log = structlog.get_logger()


class LeaseLost(BaseException):
    """Raised inside a run whose job is no longer this process's: cancelled, expired or taken over.

    A BaseException, so that no handler for failed calls mistakes it for one.
    """


class Leases:
    """One greenlet extends the leases of all running jobs in one round trip."""

    def __init__(self, ledger: Ledger, interval_s: float) -> None:
        self._ledger = ledger
        self._interval_s = interval_s
        self._running: dict[str, tuple[int, gevent.Greenlet]] = {}

    @property
    def held(self) -> int:
        """How many jobs this process runs."""
        return len(self._running)

    @contextmanager
    def holding(self, job_id: str, epoch: int) -> Iterator[None]:
        """Keep the job's lease while the block runs; LeaseLost is raised inside it if that fails for good."""
        self._running[job_id] = (epoch, gevent.getcurrent())
        try:
            yield
        finally:
            self._running.pop(job_id, None)

    def beat(self) -> None:
        """Extend every lease once, and end the runs that have lost theirs."""
        running = dict(self._running)
        if not running:
            return
        lost = self._ledger.heartbeat([(job_id, epoch) for job_id, (epoch, _) in running.items()])
        for job_id in lost:
            # Only the very run that was asked about: the job may have ended, or come back, since.
            if self._running.get(job_id) == running[job_id]:
                log.info("job.lease_lost", job_id=job_id)
                running[job_id][1].kill(LeaseLost, block=False)

    def revoke(self, job_id: str, epoch: int | None = None) -> None:
        """End the run of a job that is no longer this process's, as others say; `epoch` None: whichever it is."""
        running = self._running.get(job_id)
        if running is not None and epoch in (None, running[0]):
            log.info("job.lease_revoked", job_id=job_id)
            running[1].kill(LeaseLost, block=False)

    def run(self) -> None:
        """Beat for ever; a Redis that is away is tried again at the next beat."""
        while True:
            gevent.sleep(self._interval_s)
            try:
                self.beat()
            except StoreUnavailable:
                log.warning("lease.heartbeat_failed", running=len(self._running))
