"""Validates a batch: its input is checked and copied, in one pass."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import gevent

from workers.batches.checking import InputCheck, Problem
from workers.batches.input import input_name
from workers.batches.line import Readable, raw_lines
from workers.storage import Storage

# The batch itself shows so many errors; its error file has all of them.
SHOWN_PROBLEMS = 1_000
# After so many lines others have their turn; so often the ledger is told how far it came.
_TURN_LINES = 20
TELL_S = 1.0


class _Copying:
    """What is read is written down as well."""

    def __init__(self, source: Readable, copy: Any) -> None:
        self._source = source
        self._copy = copy

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes of the source."""
        data = self._source.read(size)
        self._copy.write(data)
        return data


def validate(
    storage: Storage,
    source: str,
    batch_id: str,
    check: InputCheck,
    longest: int,
    errors: str,
    tell: Callable[[int], bool],
) -> tuple[list[Problem], int] | None:
    """Check the file `source` and copy it; returns the first problems, and the size of the file `errors` of them all.

    No problems: the copy is there, and no file of errors. `tell` is given the count of lines now and then; None as soon
    as it says that nobody wants to know any more. FileNotFoundError where there is no source.
    """
    shown: list[Problem] = []
    told_at = time.monotonic()
    with ExitStack() as open_files:
        file = open_files.enter_context(storage.reading(source))
        copy = open_files.enter_context(storage.writing(input_name(batch_id)))
        written = None
        for problem in check.problems(raw_lines(_Copying(file, copy), longest)):
            if problem is not None:
                if written is None:
                    written = open_files.enter_context(storage.writing(errors))
                written.write(problem.as_line())
                if len(shown) < SHOWN_PROBLEMS:
                    shown.append(problem)
            if check.total % _TURN_LINES == 0:
                gevent.sleep(0)
            if time.monotonic() - told_at > TELL_S:
                told_at = time.monotonic()
                if not tell(check.total):
                    return None
        return shown, written.tell() if written is not None else 0


def shown_errors(problems: list[Problem]) -> str:
    """The problems as the batch's record keeps them."""
    return json.dumps([problem.as_object() for problem in problems])
