"""One supervised process: how it is started, watched and ended. When it is started again is the supervisor's."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from config.settings import PROJECT_ROOT

_KEPT_LOG_BYTES = 20 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


class StopOrder(IntEnum):
    """Who is told to stop first: what takes work in, then what does it, and last what keeps it."""

    API = 0
    WORKER = 1
    AUXILIARY = 2
    SANDBOX = 3
    REDIS = 4


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running. `grace_s` is how long it may take from SIGTERM to its end."""

    name: str
    argv: tuple[str, ...]
    stop_order: StopOrder
    # Asked again and again from its start until it says yes.
    ready: Callable[["Process"], bool]
    grace_s: float = 5.0
    environment: Mapping[str, str] | None = field(default=None, repr=False)


class Process:
    """A running (or ended) process of a spec, in its own session, writing to its own log."""

    def __init__(self, spec: ProcessSpec, logs: Path) -> None:
        self.spec = spec
        self.log = logs / f"{spec.name}.log"
        self.ready = False
        # The kernel tells it when its parent is gone. What others lean on while they end is told by the warden.
        self.ends_with_parent = _LIBC is not None and spec.stop_order < StopOrder.SANDBOX
        self._rotate_log()
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
        self.started_at = time.monotonic()
        parent = os.getpid()
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - an argument list of our own, and no shell
                spec.argv,
                cwd=PROJECT_ROOT,
                env=spec.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=(lambda: _end_with(parent)) if self.ends_with_parent else None,  # noqa: PLW1509 - it takes no lock
            )
        self.pid = self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    @property
    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started_at

    def terminate(self) -> None:
        """Ask it to stop; its own children are its own to stop."""
        if self.exit_code is None:
            self._popen.terminate()

    def kill(self) -> None:
        """End it and whatever is left of its session's processes, and reap it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def output(self) -> str:
        """What it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self._log_offset)
            return file.read().decode(errors="replace")

    def ending(self) -> str:
        """How it ended, in words."""
        code = self.exit_code
        if code is None:
            return "still running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _KEPT_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))


def _end_with(parent: int) -> None:
    """In the child, before exec: SIGTERM when the supervisor is gone, also where it was killed."""
    assert _LIBC is not None
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


# Loaded before any fork; the parent-death signal is Linux's alone.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
