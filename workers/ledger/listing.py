"""Lists of a tenant's jobs: a page at a time, in steps that never keep Redis busy for long."""

from dataclasses import dataclass
from typing import Literal

from routing.job import JobStatus
from workers.ledger.record import JobRecord
from workers.ledger.steps import Steps
from workers.queues import provider_queue

Order = Literal["asc", "desc"]

# What list.lua gives of a job, after its id and in its order.
FIELDS = (
    b"status", b"model", b"queue", b"attempts", b"created", b"deadline", b"started", b"ended", b"http_status",
    b"replay_of", b"replayed_as", b"answer",
)  # fmt: skip
# How many jobs one step looks at, and all steps of one page together.
STEP = 200
MOST_LOOKED_AT = 10_000
# These have a list of their own.
_FAILURES = frozenset({JobStatus.FAILED, JobStatus.EXPIRED})
# Later than any job: the year 2286, in µs.
_NEVER_US = 10**16


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs are wanted; what is empty or None does not matter. Times are Unix seconds."""

    statuses: frozenset[JobStatus] = frozenset()
    # As it was asked for.
    model: str = ""
    # It was called for the job, or has it on its queue.
    provider: str = ""
    # Accepted at or after, and before.
    created_after: float | None = None
    created_before: float | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """A part of a list; the next begins after `last`, where there is `more`. A page that is not full may have more."""

    jobs: tuple[JobRecord, ...]
    last: str | None
    more: bool


class Listing:
    """Each step is one (shared) round trip; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def page(
        self, tenant: str, wanted: Selection, *, limit: int, after: str = "", order: Order = "desc"
    ) -> JobPage | None:
        """`limit` jobs from the one after `after` on, by when they were accepted; None where `after` is not known.

        It ends early where MOST_LOOKED_AT jobs were looked at in vain. Jobs that are added meanwhile make no other
        one appear twice or go missing.
        """
        jobs: list[JobRecord] = []
        last, ended = after, False
        for _ in range(MOST_LOOKED_AT // STEP):
            # One more than a page, to know whether there are more.
            reply = self._steps.run("list", *self._words(tenant, wanted, last, order, limit + 1 - len(jobs)))
            if not reply:
                # The job it got to was forgotten between two steps: the page ends before it.
                return JobPage(tuple(jobs), jobs[-1].id if jobs else after, more=True) if last != after else None
            jobs += [_entry(tenant, *entry) for entry in reply[2:]]
            ended, last = bool(reply[0]), reply[1].decode()
            if ended or len(jobs) > limit:
                break
        if len(jobs) > limit:
            return JobPage(tuple(jobs[:limit]), jobs[limit - 1].id, more=True)
        if ended:
            return JobPage(tuple(jobs), jobs[-1].id if jobs else None, more=False)
        return JobPage(tuple(jobs), last, more=True)

    @staticmethod
    def _words(tenant: str, wanted: Selection, after: str, order: Order, enough: int) -> tuple[str | int, ...]:
        return (
            "failures" if wanted.statuses and wanted.statuses <= _FAILURES else "jobs",
            tenant,
            order,
            after,
            _microseconds(wanted.created_after, 0),
            _microseconds(wanted.created_before, _NEVER_US),
            enough,
            STEP,
            f" {' '.join(sorted(wanted.statuses))} " if wanted.statuses else "",
            wanted.model,
            wanted.provider,
            provider_queue(wanted.provider),
        )


def _entry(tenant: str, job_id: bytes, *values: bytes | None) -> JobRecord:
    stored = {name: value for name, value in zip(FIELDS, values, strict=False) if value is not None}
    return JobRecord.parse(job_id.decode(), stored | {b"tenant": tenant.encode()})


def _microseconds(moment_s: float | None, otherwise: int) -> int:
    return otherwise if moment_s is None else min(max(round(moment_s * 1e6), 0), _NEVER_US)
