"""One batch while this process holds it: its input is checked, its answers are fetched, its files are made.

Whatever the process does last, the next that holds the batch goes on from what the ledger says: a line is accepted in
the step that moves the place in the input, and answered for in the step that counts the part of the output it is in.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent
import structlog

from config.settings import Settings
from config.tenant import Tenant
from routing.job import ServiceTier
from workers.batches.checking import InputCheck, Problem
from workers.batches.feed import Feed
from workers.batches.input import BatchInput
from workers.batches.line import read_line
from workers.batches.ordering import LineOrdering, tier_of_age
from workers.batches.output import ANSWERS, ERRORS, Output, file_id
from workers.batches.part import CANCELLED, EXPIRED, Part
from workers.batches.validation import shown_errors, validate
from workers.directory import Directory
from workers.ledger.batch_lines import Held, Look, Place, StoredPart
from workers.ledger.batch_record import Batch, BatchStatus
from workers.ledger.ledger import Ledger
from workers.queue import new_job_id
from workers.requests.demands import surface_at
from workers.storage import Storage

log = structlog.get_logger()

# Answers fetched in one step.
MOST_FETCHED = 200
# A part of the output is stored at the latest after this, or after this part of the time the batch has run: fast
# batches show their results soon, and slow ones make few parts.
SOON_S, LATE_PART = 1.0, 0.02
# How often a batch is looked at, while its lines end and while none does.
BUSY_S, IDLE_S = 0.02, 0.25
_TURN_LINES = 50
# What a batch ends as, by why lines of it were not run.
_ENDS = {None: BatchStatus.COMPLETED, CANCELLED: BatchStatus.CANCELLED, EXPIRED: BatchStatus.EXPIRED}


class LostBatch(Exception):
    """Another process holds the batch now, or it has ended."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the runs of one process share."""

    ledger: Ledger
    storage: Storage
    settings: Settings
    directory: Directory
    ordering: LineOrdering
    # Gives a tenant with the provider keys that it has stored.
    own_keys: Callable[[Tenant], Tenant]


class BatchRun:
    """One batch as held by this process."""

    def __init__(self, means: Means, held: Held, batch: Batch) -> None:
        self.batch = batch
        self.held = held
        self._means = means
        self._batches = means.ledger.batches
        self._source = BatchInput(means.storage, batch.id, Place(batch.cursor, batch.offset))
        self.feed = Feed(self._batches, means.ordering, held, batch, self._source)
        self._output = Output(means.storage, batch.id, held.epoch)
        self._parts = batch.parts
        self._part = Part(surface_at(batch.endpoint))
        self._part_since = 0.0
        self._valid = "in_progress_at" in batch.times
        self._tier = ServiceTier.BATCH

    @property
    def tenant(self) -> Tenant | None:
        """Whose it is, as that one is now; None: nobody, or not active. StoreUnavailable where only Redis knows."""
        tenant = self._means.directory.tenant(self.batch.tenant)
        return self._means.own_keys(tenant) if tenant is not None and tenant.active else None

    def run(self) -> None:
        """Bring the batch to its end, from wherever it is. LostBatch where another process does that."""
        status = self.batch.status
        try:
            if not status.ended:
                if not self._valid and status is not BatchStatus.CANCELLING:
                    status = self._validate()
                if not status.ended:
                    self._work()
            self._output.clear()
            self._batches.leave(self.held)
        finally:
            self.feed.open = False
            self._source.close()

    def _validate(self) -> BatchStatus:
        """Check the input; the batch's status then."""
        batch, errors = self.batch, file_id(self.batch.id, ERRORS)
        tenant, stored = self.tenant, self._means.ledger.files.read(batch.input_file, batch.tenant)
        problems, size, total = [Problem("file_not_found", "The input file is not there any more.")], 0, 0
        if tenant is None:
            problems = [Problem("tenant_inactive", "The tenant is not active.")]
        elif stored is not None:
            check = InputCheck(
                batch.endpoint,
                tenant,
                lambda: self._means.directory.current.catalogue,
                self._means.settings.batch_max_lines,
                self._means.directory.key(batch.key) if batch.key else None,
            )
            found = validate(
                self._means.storage,
                stored.name,
                batch.id,
                check,
                self._means.settings.max_body_bytes,
                f"files/{errors}",
                lambda count: self._mark(None, total=count) is BatchStatus.VALIDATING,
            )
            if found is None:
                self._means.storage.delete(f"files/{errors}")
                return BatchStatus.CANCELLING
            (problems, size), total = found, check.total
        if not problems:
            self._valid = True
            return self._mark(BatchStatus.IN_PROGRESS, total=total, in_progress_at="@now")
        fields: dict[str, object] = {"errors": shown_errors(problems), "total": total}
        if size:
            self._adopt(errors, size, "errors")
            fields["error_file"] = errors
        self._end(BatchStatus.FAILED, fields)
        return BatchStatus.FAILED

    def _work(self) -> None:
        """Fetch what ends while lines are fed, until there is nothing more to come; then make the files."""
        why = self._fetch()
        self._account_for_rest(why)
        if self._part.ended or self._part.others:
            self._store()
        self._mark(BatchStatus.FINALIZING, finalizing_at="@now")
        fields: dict[str, object] = {}
        names = self._batches.parts(self.batch.id)
        for kind, field in ((ANSWERS, "output_file"), (ERRORS, "error_file")):
            made = file_id(self.batch.id, kind)
            size = self._output.assemble(names, kind, f"files/{made}")
            if size:
                self._adopt(made, size, "output" if kind == ANSWERS else "errors")
                fields[field] = made
        self._end(_ENDS[why], fields)

    def _fetch(self) -> tuple[str, str] | None:
        """Until every line that was accepted has ended and every other was fed; else why they are not run any more."""
        why: tuple[str, str] | None = None
        # One that was cancelled before it was validated has no lines to feed.
        self.feed.open = self._valid
        while True:
            if self.feed.broken is not None:
                raise self.feed.broken
            # Asked before the look: lines that are accepted after it would be overlooked.
            quiet = not self.feed.busy and (not self.feed.open or self.feed.exhausted)
            look = self._look()
            if why is None:
                why = self._reason_to_stop(look)
            self._age(look)
            if why is CANCELLED and look.in_flight and not self._batches.drop(self.held):
                raise LostBatch
            if quiet and why is None and not self.feed.exhausted:
                # Its lines are not taken, and it is not said why: another holds it, or will look at it anew.
                raise LostBatch
            done = quiet and look.in_flight == 0 and not look.ended
            if self._part.full or (self._part.ended and (done or self._part_is_due())):
                self._store()
            elif done:
                return why
            gevent.sleep(BUSY_S if look.ended else IDLE_S)

    def _look(self) -> Look:
        look = self._batches.look(self.held, self._part.ended, 0 if self._part.full else MOST_FETCHED)
        if look is None:
            raise LostBatch
        if look.ended and not self._part.ended:
            self._part_since = time.monotonic()
        for count, line in enumerate(look.ended):
            self._part.add(line)
            if count % _TURN_LINES == 0:
                gevent.sleep(0)
        return look

    def _age(self, look: Look) -> None:
        """Lines on their way grow more urgent with those that are fed: nobody starves in a queue either."""
        tier = tier_of_age(self.batch.deadline_at - look.now, self.batch.window_s)
        if tier is not self._tier:
            if not self._batches.age(self.held, tier.priority):
                raise LostBatch
            self._tier = tier

    def _reason_to_stop(self, look: Look) -> tuple[str, str] | None:
        """Why no more lines are run, where that is so; they are then fed no more."""
        why = None
        if look.status is BatchStatus.CANCELLING:
            # Those not begun are dropped, at every look: one that runs may be handed on and stand in a queue again.
            why = CANCELLED
        elif look.now >= self.batch.deadline_at:
            # The rescue expires those that are on their way: they have the batch's deadline.
            why = EXPIRED
        if why is not None:
            self.feed.open = False
        return why

    def _account_for_rest(self, why: tuple[str, str] | None) -> None:
        """Say of each line that was never fed that it was not run."""
        if why is None or not self._valid:
            return
        while (raw := self._source.peek()) is not None:
            line = read_line(raw.text, self.batch.endpoint)
            self._part.add_unrun(new_job_id(), line.custom_id, why)
            self._source.take()
            if self._part.full:
                self._store()
            elif self._part.others % _TURN_LINES == 0:
                gevent.sleep(0)

    def _part_is_due(self) -> bool:
        ran_s = time.time() - self.batch.created_at
        return time.monotonic() - self._part_since >= max(SOON_S, LATE_PART * ran_s)

    def _store(self) -> None:
        """Store what was fetched, and have it counted."""
        part, self._part = self._part, Part(self._part.surface)
        name = self._output.store(self._parts, part)
        place = self._source.place if part.others else None
        told = StoredPart(self._parts, name, part.ended, part.others, place, part.usage)
        if not self._batches.stored(self.held, told):
            raise LostBatch
        self._parts += 1

    def _adopt(self, made: str, size: int, kind: str) -> None:
        """Make a file in the storage one of the tenant's."""
        kept_s = self.batch.files_kept_s or int(self._means.settings.batch_retention_s)
        self._means.ledger.files.adopt(
            self.batch.tenant,
            made,
            f"files/{made}",
            size,
            filename=f"{self.batch.id}_{kind}.jsonl",
            purpose="batch_output",
            expires_in_s=kept_s,
        )

    def _mark(self, status: BatchStatus | None, **fields: object) -> BatchStatus:
        now = self._batches.mark(self.held, status, **fields)
        if now is None:
            raise LostBatch
        return now

    def _end(self, status: BatchStatus, fields: dict[str, object]) -> None:
        if not self._batches.end(self.held, status, fields):
            raise LostBatch
        log.info("batch.ended", batch_id=self.batch.id, status=status.value)
