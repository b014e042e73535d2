"""The durable record of batches: each method is one atomic step in Redis. Every step may be repeated safely.

A batch that has not ended stands in the batches' own schedule, as jobs do in theirs: nothing else is trusted to
remember it. Its lines are jobs like others, a bounded number of them at a time.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from config.settings import Settings
from routing.errors import JobCancelled
from routing.job import JobStatus
from workers.ledger.batch_lines import EndedLine, Fed, Held, LineOrder, LineRefusal, Look, Place, StoredPart
from workers.ledger.batch_record import Batch, BatchOrder, BatchStatus
from workers.ledger.steps import Steps

# One look brings no more bytes of answers than this, but for a single larger one.
MOST_BYTES = 4 * 1024 * 1024
_CANCELLED = json.dumps(JobCancelled("the batch was cancelled before this line was begun").body()["error"])


class Batches:
    """The one writer of batch records."""

    def __init__(self, steps: Steps, settings: Settings) -> None:
        self._steps = steps
        self._lease_ms = int(settings.lease_s * 1000)
        self._kept_s = int(settings.batch_retention_s)

    def create(self, order: BatchOrder, most_unfinished: int) -> tuple[str, str]:
        """Accept a batch: ("accepted", its id), ("existing" or "conflict", the id of its Idempotency-Key's first).

        ("full", how many are unfinished) where the tenant has `most_unfinished` already.
        """
        words = (order.id, order.tenant, order.idempotency, order.fingerprint, int(order.window_s * 1000))
        verdict, what = self._steps.run("batch_create", *words, most_unfinished, self._kept_s, *order.fields())
        return verdict.decode(), what.decode() if isinstance(what, bytes) else str(what)

    def take(self, limit: int, sated: Iterable[str] = ()) -> list[Held]:
        """Hold up to `limit` batches that nobody holds; none of the tenants in `sated`."""
        taken = self._steps.run("batch_take", limit, self._lease_ms, *sated)
        return [Held(taken[at].decode(), taken[at + 1]) for at in range(0, len(taken), 2)]

    def look(self, held: Held, fetched: int, most: int) -> Look | None:
        """How it stands, and up to `most` ended lines after the first `fetched`; None: another holds it now."""
        reply = self._steps.run("batch_look", held.id, held.epoch, self._lease_ms, fetched, most, MOST_BYTES)
        if not reply:
            return None
        lines = tuple(
            EndedLine(
                job_id=reply[at].decode(),
                custom_id=reply[at + 1].decode(),
                status=JobStatus(reply[at + 2].decode()),
                http_status=int(reply[at + 3]),
                answer=reply[at + 4],
            )
            for at in range(3, len(reply), 5)
        )
        return Look(BatchStatus(reply[0].decode()), reply[1], reply[2] / 1000, lines)

    def feed(
        self, held: Held, before: Place, lines: Sequence[tuple[LineOrder | LineRefusal, Place]], budgets: str = ""
    ) -> Fed | None:
        """Accept the lines that follow on `before`, each with the place after it, as far as the budgets have room.

        `budgets` are words of reserve.lua. None: it is being cancelled, or another holds it.
        """
        words = [word for line, after in lines for word in (after.line, after.offset, *line.words())]
        place = (before.line, before.offset)
        reply = self._steps.run("batch_feed", held.id, held.epoch, self._lease_ms, budgets, *place, *words)
        return Fed(reply[0], reply[1] / 1000 if reply[1] > 0 else None) if reply else None

    def stored(self, held: Held, part: StoredPart) -> bool:
        """Count a part of the output that is in the storage; False: another holds the batch now."""
        place = ("", "") if part.place is None else (part.place.line, part.place.offset)
        used = part.usage
        amounts = {
            "prompt": used.prompt_tokens,
            "completion": used.completion_tokens,
            "cached": used.cached_tokens,
            "reasoning": used.reasoning_tokens,
        }
        return bool(
            self._steps.run(
                "batch_stored",
                *(held.id, held.epoch, self._lease_ms, part.number, part.name, part.ended, part.others),
                *place,
                *(word for pair in amounts.items() for word in pair),
            )
        )

    def mark(self, held: Held, status: BatchStatus | None = None, **fields: Any) -> BatchStatus | None:
        """Note how far it has come; its status then, or None: another holds it now. The value "@now" is the time."""
        words = [word for pair in fields.items() for word in pair]
        reply = self._steps.run(
            "batch_mark", held.id, held.epoch, self._lease_ms, status.value if status else "", *words
        )
        return BatchStatus(reply.decode()) if reply else None

    def drop(self, held: Held) -> bool:
        """Cancel the lines nobody has begun; False: another holds it now."""
        return self._steps.run("batch_drop", held.id, held.epoch, _CANCELLED) is not None

    def age(self, held: Held, priority: int) -> bool:
        """Make the lines nobody has begun as urgent as `priority`; False: another holds it now."""
        return self._steps.run("batch_age", held.id, held.epoch, priority) is not None

    def end(self, held: Held, status: BatchStatus, fields: Mapping[str, Any]) -> bool:
        """End the batch; False: another holds it now, or it has ended."""
        words = [word for pair in fields.items() for word in pair]
        return bool(self._steps.run("batch_end", held.id, held.epoch, status.value, self._kept_s, "v", 1, *words))

    def leave(self, held: Held) -> None:
        """Let go of a batch that has ended and left nothing behind: nobody need look at it again."""
        self._steps.command("ZREM", f"{self._steps.prefix}batch_schedule", held.id)

    def release(self, held: Sequence[Held]) -> None:
        """Give batches back, for another worker to take at once."""
        self._steps.run("batch_release", *(word for batch in held for word in (batch.id, batch.epoch)))

    def cancel(self, batch_id: str, tenant: str) -> tuple[BatchStatus, bool] | None:
        """Have it cancelled: (its status now, whether this call did it); None when the tenant has no such batch."""
        reply = self._steps.run("batch_cancel", batch_id, tenant)
        return (BatchStatus(reply[0].decode()), bool(reply[1])) if reply else None

    def read(self, batch_id: str, tenant: str | None = None) -> Batch | None:
        """The batch's record; None when there is none, or `tenant` is given and it is not that tenant's."""
        stored = self._steps.hash(f"batch:{batch_id}")
        if not stored or (tenant is not None and stored[b"tenant"].decode() != tenant):
            return None
        return Batch.parse(batch_id, stored)

    def parts(self, batch_id: str) -> list[str]:
        """The names of the parts of the output that are stored, in their order."""
        names = self._steps.command("LRANGE", f"{self._steps.prefix}batch_parts:{batch_id}", 0, -1)
        return [name.decode() for name in names]

    def flight(self) -> dict[tuple[str, str], int]:
        """How many lines are in flight, by tenant and provider."""
        counts = {}
        for name, count in self._steps.hash("batch_flight").items():
            tenant, _, provider = name.decode().rpartition(" ")
            counts[tenant, provider] = int(count)
        return counts

    def listed(self, tenant: str, after: str | None, limit: int) -> tuple[list[Batch], bool] | None:
        """A page of the tenant's batches, the newest first, and whether there are more; None: `after` is not one."""
        index = f"{self._steps.prefix}batches:{tenant}"
        start = 0
        if after is not None:
            place = self._steps.command("ZREVRANK", index, after)
            if place is None:
                return None
            start = place + 1
        found: list[Batch] = []
        while True:
            ids = [name.decode() for name in self._steps.command("ZREVRANGE", index, start, start + limit)]
            for batch_id in ids:
                batch = self.read(batch_id)
                if batch is not None:
                    found.append(batch)
                if len(found) > limit:
                    return found[:limit], True
            if len(ids) <= limit:
                return found, False
            start += len(ids)
