"""Sends the next lines of a batch to where there is room for them."""

from config.tenant import Tenant
from workers.batches.input import BatchInput
from workers.batches.line import read_line
from workers.batches.ordering import LineOrdering, tier_of_age
from workers.batches.shares import Rooms
from workers.ledger.batch_lines import Held, LineOrder, LineRefusal
from workers.ledger.batch_record import Batch
from workers.ledger.batches import Batches

# Lines accepted in one step, and their bytes: it keeps Redis busy for about a millisecond.
MOST_LINES, MOST_BYTES = 32, 512 * 1024


class Feed:
    """The way of one batch's lines into the ledger."""

    def __init__(self, batches: Batches, ordering: LineOrdering, held: Held, batch: Batch, source: BatchInput) -> None:
        self._batches = batches
        self._ordering = ordering
        self._held = held
        self._batch = batch
        self._source = source
        self._busy = False
        # What went wrong: nobody knows what became of the last lines, so the batch is to be read from the ledger again.
        self.broken: Exception | None = None
        # Whether lines may be sent. Cleared where the ledger takes none any more.
        self.open = False

    @property
    def busy(self) -> bool:
        """Whether lines are on their way into the ledger at this moment."""
        return self._busy

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
            if self._batches.feed(self._held, before, self._source.place, lines):
                return len(lines)
        except Exception as error:  # noqa: BLE001 (whoever brings the batch to its end raises it)
            self.open, self.broken = False, error
            return 0
        finally:
            self._busy = False
        # It is being cancelled, or another holds it: these lines were not accepted.
        self.open = False
        self._source.go_to(before)
        return 0

    def _collect(self, tenant: Tenant, rooms: Rooms, now: float) -> list[LineOrder | LineRefusal]:
        batch = self._batch
        tier = tier_of_age(batch.deadline_at - now, batch.window_s)
        lines: list[LineOrder | LineRefusal] = []
        size = 0
        while len(lines) < MOST_LINES and size < MOST_BYTES:
            raw = self._source.peek()
            if raw is None:
                break
            order = self._ordering.order(read_line(raw.text, batch.endpoint), batch, tenant, tier, rooms)
            if order is None:
                break
            lines.append(order)
            size += len(raw.text or b"")
            self._source.take()
        return lines
