"""Keeps batches going: holds those nobody holds, and lets their lines into the gaps that other traffic leaves.

Of all its batches the process feeds lines in turns: who has least in flight for its weight goes first, and of a tenant
the batch with the earliest deadline. How many lines are in flight at a provider is bounded, whatever there is to do.
"""

import contextlib
import time
from collections.abc import Callable

import gevent
import structlog

from config.configuration import Configuration
from config.settings import Settings
from routing.errors import StorageUnavailable, StoreUnavailable
from workers.batches.checking import Problem
from workers.batches.run import BatchRun, LostBatch, Means
from workers.batches.shares import Rooms
from workers.batches.validation import shown_errors
from workers.ledger.batch_lines import Held
from workers.ledger.batch_record import BatchStatus

log = structlog.get_logger()

# How many batches a process holds, and of one tenant.
MOST_RUNS, MOST_OF_TENANT = 200, 25
# An unexpected error of a batch that was held so often before is its last.
MOST_HOLDERS = 30
# How often it looks for batches that nobody holds, and for room while there are lines to feed, and while there is none.
TAKE_S, FEED_S, WAIT_S = 0.5, 0.01, 0.05


class Pump:
    """One process's share of the batches."""

    def __init__(self, means: Means, configuration: Callable[[], Configuration], settings: Settings) -> None:
        self._means = means
        self._configuration = configuration
        self._settings = settings
        self._runs: dict[str, BatchRun] = {}
        self._took_at = -TAKE_S

    def run(self) -> None:
        """Go on for ever; a Redis or a storage that is away is asked again."""
        while True:
            try:
                if time.monotonic() - self._took_at >= TAKE_S:
                    self._took_at = time.monotonic()
                    self._take()
                fed = self._feed()
            except StoreUnavailable:
                fed = 0
            gevent.sleep(FEED_S if fed else WAIT_S)

    def stop(self) -> None:
        """Give every batch back, for other processes to go on with at once."""
        held = [run.held for run in self._runs.values()]
        if held:
            self._means.ledger.batches.release(held)

    def _take(self) -> None:
        room = MOST_RUNS - len(self._runs)
        if room <= 0:
            return
        counts: dict[str, int] = {}
        for run in self._runs.values():
            counts[run.batch.tenant] = counts.get(run.batch.tenant, 0) + 1
        sated = [tenant for tenant, count in counts.items() if count >= MOST_OF_TENANT]
        for held in self._means.ledger.batches.take(min(room, MOST_OF_TENANT), sated):
            batch = self._means.ledger.batches.read(held.id)
            if batch is not None:
                log.info("batch.held", batch_id=held.id, status=batch.status.value, epoch=held.epoch)
                self._runs[held.id] = BatchRun(self._means, held, batch)
                gevent.spawn(self._bring_to_end, held)

    def _bring_to_end(self, held: Held) -> None:
        run = self._runs[held.id]
        try:
            run.run()
        except LostBatch:
            log.info("batch.lost", batch_id=held.id, why="another process holds it, or it has ended")
        except (StoreUnavailable, StorageUnavailable) as error:
            # Its lease ends soon; whoever takes it then goes on from what the ledger says.
            log.warning("batch.interrupted", batch_id=held.id, why=error.message)
        except Exception:
            log.exception("batch.failed", batch_id=held.id)
            self._give_up(held)
        finally:
            if self._runs.get(held.id) is run:
                del self._runs[held.id]

    def _give_up(self, held: Held) -> None:
        """End a batch that has ended so many holders: it is their cause."""
        if held.epoch >= MOST_HOLDERS:
            problem = Problem("internal_error", "The batch could not be brought to its end; see the worker's log.")
            with contextlib.suppress(StoreUnavailable):
                self._means.ledger.batches.end(held, BatchStatus.FAILED, {"errors": shown_errors([problem])})

    def _feed(self) -> int:
        """Feed lines wherever there is room; how many."""
        runs = [(run, tenant) for run in list(self._runs.values()) if run.feed.ready and (tenant := run.tenant)]
        if not runs:
            return 0
        weights = {tenant.tenant_id: tenant.batch_weight for _, tenant in runs}
        flight = self._means.ledger.batches.flight()
        for name, _ in flight:
            # Those whose batches other processes hold have their share, too.
            other = self._means.directory.tenant(name)
            weights.setdefault(name, other.batch_weight if other else 1)
        rooms = Rooms(flight, self._windows(), weights)
        runs.sort(key=lambda pair: (rooms.load(pair[0].batch.tenant), pair[0].batch.deadline_at))
        fed = 0
        for run, tenant in runs:
            fed += run.feed.some(tenant, rooms, time.time())
            gevent.sleep(0)
        return fed

    def _windows(self) -> dict[str, int]:
        fixed = self._settings.batch_window
        return {
            row.name: fixed or 2 * row.concurrency for row in self._configuration().providers.values() if row.is_called
        }
