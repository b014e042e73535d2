"""Parts of a batch's output: what of it is stored at once, in OpenAI's two forms of lines. Pure.

Source: OpenAI's reference for the Batch API, "The request output object".
"""

import json
from dataclasses import dataclass, field
from typing import Any

from routing.job import JobStatus, Usage
from workers.ledger.batch_lines import EndedLine
from workers.surfaces.base import Surface, compact

# Why lines have no answer, in OpenAI's codes.
EXPIRED = ("batch_expired", "This request could not be executed before the completion window expired.")
CANCELLED = ("batch_cancelled", "This request was not executed because the batch was cancelled.")
_UNRUN = {JobStatus.EXPIRED: EXPIRED, JobStatus.CANCELLED: CANCELLED}
# A part is stored when it has so many lines, or so many bytes: counting it keeps Redis busy for some milliseconds.
MOST_LINES, MOST_BYTES = 250, 4 * 1024 * 1024


@dataclass(slots=True)
class Part:
    """The lines that are to be stored together: answers, and errors."""

    surface: Surface
    answers: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    # How many of them are ended lines, and how many were never accepted.
    ended: int = 0
    others: int = 0
    size_bytes: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def full(self) -> bool:
        """Whether it should be stored now."""
        return self.ended + self.others >= MOST_LINES or self.size_bytes >= MOST_BYTES

    def add(self, line: EndedLine) -> None:
        """Add a line whose job has ended."""
        self.ended += 1
        why = _UNRUN.get(line.status)
        if why is not None:
            self._put(self.errors, _entry(line.job_id, line.custom_id, None, why))
            return
        body = json.loads(line.answer)
        if line.status is JobStatus.COMPLETED:
            self.usage = self.usage + self.surface.usage(body)
        hexadecimal = line.job_id.removeprefix("job_")
        response = {"status_code": line.http_status, "request_id": f"req_{hexadecimal}", "body": body}
        kept = self.answers if line.status is JobStatus.COMPLETED else self.errors
        self._put(kept, _entry(line.job_id, line.custom_id, response, None))

    def add_unrun(self, job_id: str, custom_id: str, why: tuple[str, str]) -> None:
        """Add a line that was never accepted."""
        self.others += 1
        self._put(self.errors, _entry(job_id, custom_id, None, why))

    def _put(self, kept: list[bytes], entry: bytes) -> None:
        kept.append(entry)
        self.size_bytes += len(entry)


def _entry(job_id: str, custom_id: str, response: Any, why: tuple[str, str] | None) -> bytes:
    line = {
        "id": f"batch_req_{job_id.removeprefix('job_')}",
        "custom_id": custom_id,
        "response": response,
        "error": None if why is None else {"code": why[0], "message": why[1]},
    }
    return compact(line).encode() + b"\n"
