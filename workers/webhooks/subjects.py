"""What webhooks tell of: for each kind of subject, by the prefix of its id, where to read what happened to it.

Another kind is one more row: `Subjects({"job_": ..., "batch_": ...})`.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from workers.ledger.ledger import Ledger
from workers.webhooks.events import TEST
from workers.webhooks.happening import Happening

JOB = "job_"
BATCH = "batch_"
BUDGET = "budget_"
TEST_SUBJECT = "test_"


# None when the subject is gone.
Source: TypeAlias = Callable[[str], Happening | None]


class Subjects:
    """Finds the source of a subject by its id."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def read(self, subject: str) -> Happening | None:
        """What happened to `subject`; None when it is gone, or of a kind nobody here knows."""
        source = self._sources.get(subject[: subject.find("_") + 1])
        return None if source is None else source(subject)


def subjects_of(ledger: Ledger) -> Subjects:
    """The kinds there are."""
    return Subjects(
        {
            JOB: lambda subject: _job(ledger, subject),
            BATCH: lambda subject: _batch(ledger, subject),
            BUDGET: lambda subject: _budget(ledger, subject),
            TEST_SUBJECT: _test,
        }
    )


def _job(ledger: Ledger, subject: str) -> Happening | None:
    job = ledger.read(subject)
    if job is None or job.ended_at is None:
        return None
    ended_ms = round(job.ended_at * 1000)
    return Happening(job.tenant, f"job.{job.status.value}", ended_ms, job.webhook or "", job.as_object())


def _batch(ledger: Ledger, subject: str) -> Happening | None:
    batch = ledger.batches.read(subject)
    if batch is None or batch.ended_at is None:
        return None
    ended_ms = round(batch.ended_at * 1000)
    return Happening(batch.tenant, f"batch.{batch.status.value}", ended_ms, batch.webhook or "", batch.as_object())


def _budget(ledger: Ledger, subject: str) -> Happening | None:
    told = ledger.budgets.event(subject)
    return None if told is None else Happening(told.tenant, told.event, told.occurred_ms, "", told.as_object())


def _test(subject: str) -> Happening:
    # Never in the outbox: its tenant and time are those of its one delivery.
    return Happening("", TEST, 0, "", {"id": subject, "object": "webhook_test"})
