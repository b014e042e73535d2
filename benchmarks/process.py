"""The processes of a system under test: started in groups of their own, watched, and stopped without orphans."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A shell's own settings must not steer what is measured.
_NOT_INHERITED = ("MODEL_ROUTER_", "CELERY_", "SKELETON_", "GUNICORN_", "LITELLM_", "AIOHTTP_", "DATABASE_URL")


class StartError(RuntimeError):
    """A process did not start or did not answer in time; the message ends with the tail of its log."""


@dataclass(frozen=True, slots=True)
class Process:
    """A started process: the leader of a session of its own. `role` is what its CPU and memory are counted under."""

    role: str
    popen: subprocess.Popen[bytes]
    log: Path
    # What it was started with, over our own environment.
    environ: Mapping[str, str]

    @classmethod
    def start(
        cls, role: str, argv: Sequence[str], environ: Mapping[str, str], folder: Path, cwd: Path = ROOT
    ) -> "Process":
        """Start `argv` in `cwd`, with `environ` over our own environment and its log in `folder`."""
        log = folder / f"{role}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        with log.open("ab") as output:
            popen = subprocess.Popen(
                argv,
                cwd=cwd,
                env=inherited | dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(role, popen, log, dict(environ))

    def kill_and_restart(self) -> "Process":
        """End the whole group by kill -9, then start the same from our own folder; its log goes on."""
        self.signal(signal.SIGKILL)
        self.popen.wait()
        argv = [str(word) for word in self.popen.args]  # type: ignore[union-attr]
        return Process.start(self.role, argv, self.environ, self.log.parent)

    def check(self) -> None:
        """StartError when the process has ended."""
        if (code := self.popen.poll()) is not None:
            raise self.failure(f"ended with code {code}")

    def failure(self, what: str) -> StartError:
        """A StartError that says `what`, and shows the end of the log."""
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return StartError(f"{self.role} {what}; its log, {self.log}, ends:\n{tail}")

    def wait_for_port(self, port: int, limit_s: float = 30.0) -> None:
        """Return when `port` accepts a connection; StartError when the process ends or `limit_s` passes first."""
        give_up_at = time.monotonic() + limit_s
        while time.monotonic() < give_up_at:
            self.check()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise self.failure(f"does not listen on port {port} after {limit_s:.0f} s")

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group; one that is gone is no error."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


def stop(processes: Iterable[Process], limit_s: float = 8.0) -> None:
    """Ask all of them at once to end, give them `limit_s`, then kill what is left of their groups."""
    running = list(processes)
    for process in running:
        process.signal(signal.SIGTERM)
    give_up_at = time.monotonic() + limit_s
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.popen.wait(max(0.0, give_up_at - time.monotonic()))
        process.signal(signal.SIGKILL)
        process.popen.wait()


def python(*arguments: str) -> list[str]:
    """The command line of this very interpreter."""
    return [sys.executable, *arguments]
