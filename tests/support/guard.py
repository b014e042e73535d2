"""Ends the servers of a test process that cannot do it any more: one that was killed, crashed, or cut off by Ctrl-C.

A process of its own, `python tests/support/guard.py`, that is told of them on stdin until whoever tells it is gone.
"""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

_LIMIT_S = 10.0


class Guard:
    """The test process's side of it."""

    def __init__(self) -> None:
        # A session of its own: Ctrl-C in a terminal reaches the tests, and must not reach it.
        self._popen = subprocess.Popen(
            [sys.executable, "-E", "-S", Path(__file__)], stdin=subprocess.PIPE, start_new_session=True
        )

    def watch(self, pid: int) -> None:
        """Have `pid`, and the session that it leads, killed with this process."""
        self._tell(f"{pid}\n")

    def forget(self, pid: int) -> None:
        """It has ended: its number may be another's soon."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Have it end what is left, and itself."""
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(_LIMIT_S)

    def _tell(self, line: str) -> None:
        # A guard that was killed is missed only if its test process is killed too.
        with contextlib.suppress(OSError):
            self._popen.stdin.write(line.encode())
            self._popen.stdin.flush()


@functools.cache
def guard() -> Guard:
    """The one of this process, from when it is first needed until the process ends."""
    started = Guard()
    atexit.register(started.close)
    return started


def main() -> None:
    """Collect numbers until stdin ends, then kill whom they belong to."""
    left: list[int] = []
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            left.append(number)
        elif -number in left:
            left.remove(-number)
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
