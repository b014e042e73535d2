"""Ends a stack whose supervisor was killed. A process of its own: `python -m cli.warden`, told of processes on stdin.

The kernel tells what takes work in, and what does it, that their supervisor is gone. What those lean on while they
end (the sandbox, Redis) must outlive them, and what does not end must be killed: that is done here.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from cli.process import Process
from config.settings import PROJECT_ROOT

_GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Ward:
    """A process to end; `told` where the kernel tells it by itself. As a line: its fields in this order."""

    name: str
    pid: int
    order: int
    grace_s: float
    told: bool

    def line(self) -> str:
        """The ward as it is told to the warden."""
        return f"{self.name} {self.pid} {self.order} {self.grace_s} {int(self.told)}\n"

    @classmethod
    def from_line(cls, line: str) -> "Ward":
        """The inverse of `line`."""
        name, pid, order, grace_s, told = line.split()
        return cls(name, int(pid), int(order), float(grace_s), told == "1")


class Warden:
    """The supervisor's side: tells the warden what there is to end, and that it is not needed any more."""

    def __init__(self, held: int | None = None) -> None:
        """`held` is a file descriptor the warden keeps open: the HOME's lock, so that nobody starts while it works."""
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "cli.warden"],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=() if held is None else (held,),
            text=True,
        )

    def watch(self, process: Process) -> None:
        """Have `process` ended with this one; it replaces an earlier process of its name."""
        spec = process.spec
        self._tell(Ward(spec.name, process.pid, spec.stop_order, spec.grace_s, process.ends_with_parent).line())

    def dismiss(self) -> None:
        """Everything is stopped: the warden may go."""
        self._tell(f"{_GOODBYE}\n")
        with contextlib.suppress(OSError):
            if self._popen.stdin is not None:
                self._popen.stdin.close()
        try:
            self._popen.wait(5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _tell(self, line: str) -> None:
        # A warden that was killed is missed only if the supervisor is killed too.
        with contextlib.suppress(OSError, ValueError):
            if self._popen.stdin is not None:
                self._popen.stdin.write(line)
                self._popen.stdin.flush()


def watch(lines: Iterable[str]) -> None:
    """Read wards until the supervisor says goodbye or is gone; in the second case, end them all."""
    wards: dict[str, Ward] = {}
    for line in lines:
        if line.strip() == _GOODBYE:
            return
        ward = Ward.from_line(line)
        wards[ward.name] = ward
    end(wards.values())


def end(wards: Iterable[Ward]) -> None:
    """End the wards group by group, each process with what is left of its session's."""
    left = [ward for ward in wards if _leads_its_session(ward.pid)]
    for order in sorted({ward.order for ward in left}):
        group = [ward for ward in left if ward.order == order]
        for ward in group:
            if not ward.told:
                _signal(ward.pid, signal.SIGTERM)
        deadline = time.monotonic() + max(ward.grace_s for ward in group)
        while any(_leads_its_session(ward.pid) for ward in group) and time.monotonic() < deadline:
            time.sleep(0.1)
        for ward in group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(ward.pid, signal.SIGKILL)


def _leads_its_session(pid: int) -> bool:
    """Whether the process is there and is ours: a number used anew rarely leads a session."""
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


if __name__ == "__main__":
    watch(sys.stdin)
