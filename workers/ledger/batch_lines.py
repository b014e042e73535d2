"""What a batch's worker and the ledger tell each other of its lines."""

from dataclasses import dataclass, field
from typing import Any

from routing.job import JobStatus, Usage
from workers.ledger.batch_record import BatchStatus
from workers.ledger.record import Submission

# Of a line that was never planned.
_NO_PLAN = '{"policy":"","candidates":[]}'


@dataclass(frozen=True, slots=True)
class Held:
    """A batch as one worker holds it: steps of an earlier epoch change nothing."""

    id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch stands in its input: how many lines were read, and how many bytes."""

    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class EndedLine:
    """A line whose job has ended. `answer` is the body it would have been answered with."""

    job_id: str
    custom_id: str
    status: JobStatus
    http_status: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """How a batch stands. `now` is Redis's clock, Unix seconds."""

    status: BatchStatus
    in_flight: int
    now: float
    ended: tuple[EndedLine, ...]


@dataclass(frozen=True, slots=True)
class LineOrder:
    """A line as it is accepted: as a job, on the queue of the candidate at `place` of its plan."""

    custom_id: str
    provider: str
    place: int
    submission: Submission

    def words(self) -> list[Any]:
        """As batch_feed.lua takes it."""
        job = self.submission
        fields = job.fields()
        return [
            job.expected_microusd,
            job.id,
            self.custom_id,
            job.queue,
            job.priority,
            self.provider,
            self.place,
            len(fields),
            *fields,
        ]


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """A line that cannot be accepted any more, though it was when its batch was validated."""

    job_id: str
    custom_id: str
    http_status: int
    # The error's body, as JSON.
    answer: str
    # What was asked, as JSON.
    request: str
    model: str

    def words(self) -> list[Any]:
        """As batch_feed.lua takes it."""
        fields = ["v", 1, "request", self.request, "plan", _NO_PLAN, "model", self.model, "policy", "", "primary", ""]
        return [0, self.job_id, self.custom_id, "", self.http_status, self.answer, 0, len(fields), *fields]


@dataclass(frozen=True, slots=True)
class Fed:
    """How many of the lines were accepted, and what kept out the next one, if anything did."""

    count: int
    # Until the budget that has no more room begins anew, s; None: it has room, or will never have.
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of the output that is in the storage: what its lines are, and where the batch stands after it."""

    number: int
    name: str
    # How many of the ended lines are in it, and how many that were never accepted.
    ended: int
    others: int = 0
    place: Place | None = None
    usage: Usage = field(default_factory=Usage)
