"""Keeps processes running: starts, waits for readiness, restarts what dies, and stops all in order."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cli.process import Process, ProcessSpec, StopOrder
from cli.signals import StopSignals
from cli.warden import Warden

_TICK_S = 0.05
_FIRST_RESTART_S = 1.0
_LONGEST_RESTART_S = 30.0
# A process that ran this long begins again with the shortest wait.
_SETTLED_S = 60.0
_SHOWN_LOG_LINES = 15


class StartFailed(Exception):
    """A process died or said nothing while the stack started; the message ends with the end of its log."""


class StopRequested(Exception):
    """A stop signal came while something was waited for."""


class Supervisor:
    """Runs processes from the one thread that calls it (the parent-death signal is tied to that thread)."""

    def __init__(self, logs: Path, say: Callable[[str], None], signals: StopSignals, lock: int | None = None) -> None:
        self._logs = logs
        self._say = say
        self._signals = signals
        self._warden = Warden(lock)
        self._processes: dict[str, Process] = {}
        self._restart_at: dict[str, float] = {}
        self._restart_wait_s: dict[str, float] = {}
        # While the stack starts, a death is a failed start; later what dies is started again.
        self.starting = True

    def start(self, spec: ProcessSpec) -> Process:
        """Start a process; StartFailed where its program cannot be run."""
        try:
            process = Process(spec, self._logs)
        except OSError as error:
            raise StartFailed(f"{spec.name} cannot be started: {error}") from error
        self._processes[spec.name] = process
        self._warden.watch(process)
        return process

    def names(self) -> list[str]:
        """The processes started so far."""
        return list(self._processes)

    def process(self, name: str) -> Process:
        """The latest process of that name; KeyError where none was started."""
        return self._processes[name]

    def wait_ready(self, names: Iterable[str], timeout_s: float = 120.0) -> None:
        """Return when all of `names` are ready; StartFailed or StopRequested otherwise."""
        waiting = set(names)
        deadline = time.monotonic() + timeout_s
        while waiting:
            self.tick()
            waiting = {name for name in waiting if not self._processes[name].ready}
            if waiting and time.monotonic() > deadline:
                raise StartFailed(self._report(self._processes[min(waiting)], f"not ready after {timeout_s:.0f} s"))
            self.pause(bool(waiting))

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Watch the processes until `done` says so; StopRequested where a signal comes first."""
        while not done():
            self.tick()
            self.pause(wait=True)

    def pause(self, wait: bool) -> None:  # noqa: FBT001 - one caller-side condition
        """A short sleep between two looks; StopRequested where a signal came."""
        if self._signals.requested:
            raise StopRequested
        if wait:
            time.sleep(_TICK_S if self.starting else 4 * _TICK_S)

    def tick(self) -> None:
        """Look at every process once: note the ready, restart the dead whose wait is over."""
        for name, process in list(self._processes.items()):
            if process.exit_code is not None:
                self._after_death(name, process)
            elif not process.ready and process.spec.ready(process):
                process.ready = True
                self._say(f"  {name:<28} ready {process.age_s:5.1f} s")

    def stop(self) -> None:
        """Stop all, group by group in `StopOrder`; a second signal kills what is left at once. Leaves no process."""
        try:
            for order in StopOrder:
                group = [process for process in self._processes.values() if process.spec.stop_order == order]
                for process in group:
                    process.terminate()
                deadline = time.monotonic() + max((process.spec.grace_s for process in group), default=0.0)
                while any(process.exit_code is None for process in group):
                    if self._signals.insistent:
                        return
                    if time.monotonic() > deadline:
                        self._say(f"  killed after its grace: {self._names_running(group)}")
                        break
                    time.sleep(_TICK_S / 2)
                for process in group:
                    process.kill()
        finally:
            for process in self._processes.values():
                process.kill()
            self._warden.dismiss()

    def _after_death(self, name: str, process: Process) -> None:
        now = time.monotonic()
        if (at := self._restart_at.get(name)) is None:
            # What it leaves behind would hold its port against its successor.
            process.kill()
            if self.starting:
                when = "after" if process.ready else "before"
                raise StartFailed(self._report(process, f"died {when} it was ready ({process.ending()})"))
            last_s = 0.0 if process.age_s > _SETTLED_S else self._restart_wait_s.get(name, 0.0)
            wait_s = min(max(_FIRST_RESTART_S, 2 * last_s), _LONGEST_RESTART_S)
            self._restart_wait_s[name] = wait_s
            self._restart_at[name] = now + wait_s
            self._say(f"  {name} died ({process.ending()}), starts again in {wait_s:.0f} s; its log: {process.log}")
        elif now >= at:
            del self._restart_at[name]
            self.start(process.spec)

    def _names_running(self, group: list[Process]) -> str:
        return ", ".join(process.spec.name for process in group if process.exit_code is None)

    def _report(self, process: Process, what: str) -> str:
        lines = process.output().rstrip().splitlines()[-_SHOWN_LOG_LINES:]
        shown = "".join(f"\n  | {line}" for line in lines)
        return f"{process.spec.name} {what}{shown}\nIts log: {process.log}"
