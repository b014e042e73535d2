"""What processes have used so far: CPU and memory by role from Linux's /proc. Reads only."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class NoProcError(RuntimeError):
    """The machine has no /proc: CPU and memory cannot be read."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user and system) since each process's start, and resident bytes now, summed by role."""

    cpu_s: Mapping[str, float]
    rss_bytes: Mapping[str, int]


def read_usage(leaders: Mapping[int, str], proc: Path = Path("/proc")) -> Usage:
    """The usage of the sessions led by the pids in `leaders`, under the role of each (proc_pid_stat(5)).

    A session is a started process and all its children; shared pages count once for each process that maps them.
    """
    if not (proc / "self" / "stat").exists():
        raise NoProcError("the benchmarks read CPU and memory from /proc, which is Linux's alone")
    ticks: dict[str, int] = defaultdict(int)
    pages: dict[str, int] = defaultdict(int)
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            # It ended between the listing and the read.
            continue
        # The name in parentheses may hold spaces; the state (field 3) is the first after it.
        fields = stat.rpartition(")")[2].split()
        role = leaders.get(int(fields[3]))
        if role is not None:
            ticks[role] += int(fields[11]) + int(fields[12])
            pages[role] += int(fields[21])
    return Usage(
        cpu_s={role: count / _TICKS_PER_S for role, count in ticks.items()},
        rss_bytes={role: count * _PAGE_BYTES for role, count in pages.items()},
    )
