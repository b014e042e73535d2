"""One step of the benchmark: load on one system for one window, and what everything used meanwhile."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.counters import Counters, Work, between, watch_sent_share
from benchmarks.process import ROOT, StartError, python
from benchmarks.stack import System
from benchmarks.summary import Summary
from benchmarks.usage import Usage


@dataclass(frozen=True, slots=True)
class StoreWork:
    """Redis's work per completed job; `sent` is what clients sent of `commands` (None: not seen)."""

    commands: float
    sent: float | None
    reads: float
    kept_bytes: float
    by_command: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One system at one number of connections in one round. `cpu_ms` is per answered request; both maps are by role."""

    system: str
    connections: int
    round: int
    summary: Summary
    cpu_ms: Mapping[str, float]
    rss_bytes: Mapping[str, int]
    store: StoreWork | None

    def to_json(self) -> dict[str, Any]:
        """The measurement as a JSON object."""
        return asdict(self)


def measure(system: System, *, connections: int, number: int, warm_up_s: float, seconds: float) -> Measurement:
    """Run the closed loop in a process of its own, reading the counters at both ends of its measured window."""
    argv = python("-m", "benchmarks.load", "--port", str(system.port), "--connections", str(connections))
    argv += ["--warm-up", str(warm_up_s), "--seconds", str(seconds)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as load:
        try:
            # Half the warm-up: MONITOR must be over when the window begins.
            share = None if system.store_port is None else watch_sent_share(system.store_port, warm_up_s / 2)
            expect(load, "begin")
            used, counted = system.usage(), system.counters()
            expect(load, "end")
            used_after, counted_after = system.usage(), system.counters()
            summary = Summary(**json.loads(next_line(load)))
        except BaseException:
            load.kill()
            raise
    return Measurement(
        system=system.name,
        connections=connections,
        round=number,
        summary=summary,
        cpu_ms=_cpu_ms(used, used_after, summary.requests),
        rss_bytes=used_after.rss_bytes,
        store=_store_work(counted, counted_after, share, summary.requests),
    )


def _cpu_ms(before: Usage, after: Usage, requests: int) -> dict[str, float]:
    if not requests:
        return {}
    return {role: (after.cpu_s[role] - before.cpu_s.get(role, 0.0)) * 1000 / requests for role in after.cpu_s}


def _store_work(before: Counters | None, after: Counters | None, share: float | None, jobs: int) -> StoreWork | None:
    if before is None or after is None or not jobs:
        return None
    work: Work = between(before, after)
    return StoreWork(
        commands=work.commands / jobs,
        sent=None if share is None else share * work.commands / jobs,
        reads=work.reads / jobs,
        kept_bytes=work.kept_bytes / jobs,
        by_command={name: round(count / jobs, 3) for name, count in work.by_command.items() if count * 200 > jobs},
    )


def next_line(load: subprocess.Popen[str]) -> str:
    """The load generator's next line; StartError when it has ended instead."""
    assert load.stdout is not None
    line = load.stdout.readline()
    if not line:
        raise StartError("the load generator ended early; what it said is above")
    return line.strip()


def expect(load: subprocess.Popen[str], event: str) -> None:
    """Wait for the load generator to print `event`; StartError when it prints anything else."""
    if (line := next_line(load)) != event:
        raise StartError(f"the load generator said {line!r} instead of {event!r}")
