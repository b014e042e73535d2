"""One step of the benchmark of streams: load on one system for one window, and what everything used meanwhile."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.measurement import expect, next_line
from benchmarks.process import ROOT, python
from benchmarks.stack import System
from benchmarks.streams.pace import Pace
from benchmarks.streams.summary import StreamSummary

LATENCY, THROUGHPUT, CROWD = "latency", "throughput", "crowd"
# What belongs to a gateway; the provider belongs to none.
ROLES = ("api", "worker", "background", "redis", "litellm")


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked of every system: so many streams at once, of one pace.

    A crowd begins within `ramp_s`, each stream once; else streams follow one another for `warm_up_s` and `seconds`.
    """

    part: str
    streams: int
    pace: Pace
    warm_up_s: float = 0.0
    seconds: float = 0.0
    ramp_s: float = 0.0
    limit_s: float = 0.0

    @property
    def nominal_s(self) -> float:
        """How long a crowd takes where nothing is late."""
        return self.ramp_s + self.pace.seconds

    def arguments(self) -> list[str]:
        """The load generator's arguments."""
        pace = ["--tokens", str(self.pace.tokens), "--pause", str(self.pace.pause_s)]
        if self.part == CROWD:
            return [*pace, "--crowd", str(self.streams), "--ramp", str(self.ramp_s), "--limit", str(self.limit_s)]
        window = ["--warm-up", str(self.warm_up_s), "--seconds", str(self.seconds)]
        return [*pace, "--connections", str(self.streams), *window]


@dataclass(frozen=True, slots=True)
class StreamMeasurement:
    """One system in one step of one round. CPU is in seconds of the window; both maps are by role."""

    system: str
    step: Step
    round: int
    summary: StreamSummary
    cpu_s: Mapping[str, float]
    rss_bytes: Mapping[str, int]

    @property
    def cpu_ms(self) -> float | None:
        """The gateway's CPU for 1,000 chunks, in ms; None for a system without one, or where nothing arrived."""
        used = [self.cpu_s[role] for role in ROLES if role in self.cpu_s]
        return sum(used) * 1e6 / self.summary.tokens if used and self.summary.tokens else None

    def role_cpu_ms(self, role: str) -> float | None:
        """One role's share of it."""
        return self.cpu_s[role] * 1e6 / self.summary.tokens if role in self.cpu_s and self.summary.tokens else None

    @property
    def kept_up(self) -> bool:
        """Whether a crowd's streams were all whole, and over in half as much again as their own time."""
        return not self.summary.failed and self.summary.seconds <= 1.5 * self.step.nominal_s

    def to_json(self) -> dict[str, Any]:
        """The measurement as a JSON object."""
        return asdict(self)


def measure(system: System, step: Step, number: int) -> StreamMeasurement:
    """Run the load in a process of its own, reading what was used at both ends of its window."""
    argv = python("-m", "benchmarks.streams.load", "--port", str(system.port), *step.arguments())
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as load:
        try:
            expect(load, "begin")
            used = system.usage()
            expect(load, "end")
            after = system.usage()
            summary = StreamSummary(**json.loads(next_line(load)))
        except BaseException:
            load.kill()
            raise
    cpu_s = {role: after.cpu_s[role] - used.cpu_s.get(role, 0.0) for role in after.cpu_s}
    return StreamMeasurement(system.name, step, number, summary, cpu_s, after.rss_bytes)
