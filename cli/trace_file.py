"""A trace on disk, read job by job in the order of time with little in memory: an index of when and where."""

import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from routing.trace import TracedJob
from routing.trace_fields import TraceError

# A job's line is a few hundred bytes; more than this is no line of ours.
_LONGEST_LINE_BYTES = 1 << 20
STDIN = Path("-")


class TraceFile:
    """Reads `path`, or stdin for `-`, once to index it, and then as often as wanted. To be closed."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be opened."""
        self.name = "stdin" if path == STDIN else str(path)
        self._file = _spooled(sys.stdin.buffer) if path == STDIN else path.open("rb")
        self._times = array("d")
        self._places = array("Q")
        self._numbers = array("Q")
        # Why so many jobs are not replayed.
        self.left_out: Counter[str] = Counter()

    def index(self, read: Callable[[TracedJob], None], progress: Callable[[int], None]) -> None:
        """Show `read` every job that counts, in the order of the file; TraceError names the line that cannot be read.

        Not replayed are jobs that their callers cancelled, and a job's second line, as overlapping exports have.
        """
        seen: set[str] = set()
        place = 0
        for number, line in enumerate(iter(lambda: self._file.readline(_LONGEST_LINE_BYTES), b""), start=1):
            if line.strip():
                job = self._parsed(line, number)
                if job.id in seen:
                    self.left_out["repeated"] += 1
                else:
                    seen.add(job.id)
                    read(job)
                    self._note(job, place, number)
            place += len(line)
            progress(number)
        if not seen:
            raise TraceError(f"{self.name}: the trace is empty")
        order = sorted(range(len(self._times)), key=self._times.__getitem__)
        self._places = array("Q", (self._places[index] for index in order))
        self._numbers = array("Q", (self._numbers[index] for index in order))
        self._times = array("d", (self._times[index] for index in order))

    @property
    def span(self) -> tuple[float, float]:
        """When the first and the last job that count were accepted, Unix seconds."""
        return (self._times[0], self._times[-1]) if self._times else (0.0, 0.0)

    def __len__(self) -> int:
        return len(self._times)

    def jobs(self, progress: Callable[[int], None]) -> Iterator[TracedJob]:
        """The jobs that count, by time."""
        for done, (place, number) in enumerate(zip(self._places, self._numbers, strict=True), start=1):
            self._file.seek(place)
            yield self._parsed(self._file.readline(_LONGEST_LINE_BYTES), number)
            progress(done)

    def _note(self, job: TracedJob, place: int, number: int) -> None:
        if not job.is_replayed:
            self.left_out["cancelled"] += 1
            return
        self._times.append(job.created_at)
        self._places.append(place)
        self._numbers.append(number)

    def _parsed(self, line: bytes, number: int) -> TracedJob:
        try:
            return TracedJob.from_line(line)
        except TraceError as error:
            raise TraceError(f"{self.name}:{number}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def _spooled(stream: BinaryIO) -> BinaryIO:
    """What can be read again, of what cannot."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the trace
    while block := stream.read(1 << 16):
        kept.write(block)
    kept.seek(0)
    return kept
