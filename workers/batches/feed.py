"""Sends the next lines of a batch to where there is room for them, as long as its budgets have some, too."""

import time

import structlog

from config.tenant import Tenant
from workers.batches.input import BatchInput
from workers.batches.line import read_line
from workers.batches.ordering import LineOrdering, tier_of_age
from workers.batches.shares import Rooms
from workers.ledger.batch_lines import Fed, Held, LineOrder, LineRefusal, Place
from workers.ledger.batch_record import Batch
from workers.ledger.batches import Batches

log = structlog.get_logger()

# Lines accepted in one step, and their bytes: it keeps Redis busy for about a millisecond.
MOST_LINES, MOST_BYTES = 32, 512 * 1024
# Where a budget has no room: when the next line is tried, alone. The wait doubles, and ends with the day or month.
SOON_S, LATE_S = 0.5, 15.0


class Feed:
    """The way of one batch's lines into the ledger."""

    def __init__(self, batches: Batches, ordering: LineOrdering, held: Held, batch: Batch, source: BatchInput) -> None:
        self._batches = batches
        self._ordering = ordering
        self._held = held
        self._batch = batch
        self._source = source
        self._busy = False
        # While a budget has no room: how long the next look is waited for, and when that is, monotonic s.
        self._pause_s = 0.0
        self._paused_until = 0.0
        # What went wrong: nobody knows what became of the last lines, so the batch is to be read from the ledger again.
        self.broken: Exception | None = None
        # Whether lines may be sent. Cleared where the ledger takes none any more.
        self.open = False

    @property
    def busy(self) -> bool:
        """Whether lines are on their way into the ledger at this moment."""
        return self._busy

    @property
    def ready(self) -> bool:
        """Whether lines may be sent now, and no budget is being waited for."""
        return self.open and time.monotonic() >= self._paused_until

    @property
    def exhausted(self) -> bool:
        """Whether every line was accepted."""
        return not self._busy and self._source.peek() is None

    def some(self, tenant: Tenant, rooms: Rooms, now: float) -> int:
        """Have up to MOST_LINES lines accepted for which there is room; how many were. `now` is in Unix seconds."""
        if self._busy or not self.open:
            return 0
        self._busy = True
        try:
            before = self._source.place
            lines = self._collect(tenant, rooms, now)
            if not lines:
                return 0
            fed = self._batches.feed(self._held, before, lines, self._ordering.budgets(self._batch, tenant))
            if fed is not None:
                self._go_on(before, lines, fed)
                return fed.count
        except Exception as error:  # noqa: BLE001 (whoever brings the batch to its end raises it)
            self.open, self.broken = False, error
            return 0
        finally:
            self._busy = False
        # It is being cancelled, or another holds it: these lines were not accepted.
        self.open = False
        self._source.go_to(before)
        return 0

    def _go_on(self, before: Place, lines: list[tuple[LineOrder | LineRefusal, Place]], fed: Fed) -> None:
        """From behind the last line that was accepted; after a pause where a budget had no room for the next."""
        if fed.count == len(lines):
            self._pause_s = 0.0
            return
        if not self._pause_s:
            log.info("batch.waits", batch_id=self._batch.id, why="a budget has no room for its next line")
        self._source.go_to(lines[fed.count - 1][1] if fed.count else before)
        self._pause_s = SOON_S if fed.count else min(max(2 * self._pause_s, SOON_S), LATE_S)
        self._paused_until = time.monotonic() + min(self._pause_s, fed.wait_s or LATE_S)

    def _collect(self, tenant: Tenant, rooms: Rooms, now: float) -> list[tuple[LineOrder | LineRefusal, Place]]:
        batch = self._batch
        tier = tier_of_age(batch.deadline_at - now, batch.window_s)
        lines: list[tuple[LineOrder | LineRefusal, Place]] = []
        size, most = 0, 1 if self._pause_s else MOST_LINES
        while len(lines) < most and size < MOST_BYTES:
            raw = self._source.peek()
            if raw is None:
                break
            order = self._ordering.order(read_line(raw.text, batch.endpoint), batch, tenant, tier, rooms)
            if order is None:
                break
            size += len(raw.text or b"")
            self._source.take()
            lines.append((order, self._source.place))
        return lines
