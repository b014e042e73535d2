"""A batch's own copy of its input, read line by line from where the batch stands."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

from workers.batches.line import RawLine, raw_lines
from workers.ledger.batch_lines import Place
from workers.storage import Storage


def input_name(batch_id: str) -> str:
    """Where the copy is stored: what becomes of the caller's file does not matter to a batch that was validated."""
    return f"batches/{batch_id}/input"


class BatchInput:
    """The lines still to be run, in their order."""

    def __init__(self, storage: Storage, batch_id: str, place: Place) -> None:
        self._storage = storage
        self._name = input_name(batch_id)
        self._open = ExitStack()
        self._lines: Iterator[RawLine] | None = None
        self._next: RawLine | None = None
        # Behind the last line that was taken.
        self.place = place

    def peek(self) -> RawLine | None:
        """The next line; None at the end."""
        if self._lines is None:
            file = self._open.enter_context(self._storage.reading(self._name, self.place.offset))
            self._lines = raw_lines(file, sys.maxsize, self.place.line, self.place.offset)
            self._next = next(self._lines, None)
        return self._next

    def take(self) -> None:
        """Go past the next line."""
        if self._next is not None and self._lines is not None:
            self.place = Place(self._next.number, self._next.end)
            self._next = next(self._lines, None)

    def go_to(self, place: Place) -> None:
        """Go on from `place`."""
        self.close()
        self.place = place

    def close(self) -> None:
        """Give the file back; the next look opens it again."""
        self._open.close()
        self._lines = self._next = None
