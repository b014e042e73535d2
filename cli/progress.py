"""How far a long command is, on stderr and only where that is a terminal."""

import sys
import time
from types import TracebackType
from typing import Self

_INTERVAL_S = 0.2


class Progress:
    """Rewrites one line with a count of `what`, a few times a second at most."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty()
        self._next_s = 0.0
        self._written = False

    def at(self, count: int) -> None:
        """Say how far it is."""
        if self._shown and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _INTERVAL_S
            self._written = True
            sys.stderr.write(f"\r{count:,} {self._what}")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the line blank."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._written = False
