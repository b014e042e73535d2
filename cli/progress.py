"""How far a long command is, on stderr and only where that is a terminal."""

import sys
import time

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

    def end(self) -> None:
        """Leave the line blank."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._written = False
