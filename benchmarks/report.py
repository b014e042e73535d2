"""The printed tables, ratios and goal lines: pure functions of the measurements."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measurement import Measurement

PROVIDER_ALONE, SKELETON, ROUTER = "provider alone", "skeleton", "model router"
_ROLES = ("api", "worker", "background", "redis")


@dataclass(frozen=True, slots=True)
class Spread:
    """A median over rounds, with the lowest and the highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread | None":
        """The spread of the values that are there; None of none."""
        known = [value for value in values if value is not None]
        return cls(median(known), min(known), max(known)) if known else None


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio of Model Router to the skeleton at one number of connections."""

    name: str
    connections: int
    figure: Callable[[Measurement], float | None]
    at_least: float | None = None
    at_most: float | None = None

    def line(self, measurements: Sequence[Measurement]) -> str:
        """The goal, the measured ratio, and whether its median reaches the goal."""
        bound = f">= {self.at_least:.1f}" if self.at_least is not None else f"<= {self.at_most:.1f}"
        text = f"{self.name} at {self.connections}, model router / skeleton, goal {bound}"
        ratio = ratio_to_skeleton(measurements, self.connections, self.figure)
        if ratio is None:
            return f"{text}: not measured"
        enough = self.at_least is None or ratio.middle >= self.at_least
        little = self.at_most is None or ratio.middle <= self.at_most
        return f"{text}: {shown(ratio, 2)}: {'reached' if enough and little else 'not reached'}"


def throughput(measurement: Measurement) -> float | None:
    """Answered requests a second; None where nothing was answered."""
    return measurement.summary.throughput or None


def p50(measurement: Measurement) -> float | None:
    """The median latency in ms."""
    return measurement.summary.p50_ms


def p99(measurement: Measurement) -> float | None:
    """The 99th percentile of the latency in ms."""
    return measurement.summary.p99_ms


GOALS = (Goal("throughput", 32, throughput, at_least=1.0), Goal("p50", 1, p50, at_most=1.5))


def ratio_to_skeleton(
    measurements: Sequence[Measurement], connections: int, figure: Callable[[Measurement], float | None]
) -> Spread | None:
    """Model Router's figure over the skeleton's, round by round, so that a slow spell of the machine hits both."""
    skeleton = {m.round: figure(m) for m in measurements if (m.system, m.connections) == (SKELETON, connections)}
    ratios = []
    for mine in measurements:
        if (mine.system, mine.connections) == (ROUTER, connections):
            top, bottom = figure(mine), skeleton.get(mine.round)
            ratios.append(top / bottom if top is not None and bottom else None)
    return Spread.of(ratios)


def added(
    measurements: Sequence[Measurement], system: str, connections: int, figure: Callable[[Measurement], float | None]
) -> Spread | None:
    """What `system` adds to the provider's own latency figure of the same round, in ms."""
    alone = {m.round: figure(m) for m in measurements if (m.system, m.connections) == (PROVIDER_ALONE, connections)}
    differences = []
    for mine in measurements:
        if (mine.system, mine.connections) == (system, connections):
            whole, part = figure(mine), alone.get(mine.round)
            differences.append(whole - part if whole is not None and part is not None else None)
    return Spread.of(differences)


def report(measurements: Sequence[Measurement]) -> str:
    """Everything the run found, as text."""
    rounds = len({m.round for m in measurements})
    parts = [f"Medians of {rounds} round{'s' if rounds > 1 else ''} (lowest-highest)."]
    for connections in sorted({m.connections for m in measurements}):
        here = [m for m in measurements if m.connections == connections]
        parts += [table(_speed_rows(here, connections)), table(_cost_rows(here))]
    levels = sorted({m.connections for m in measurements if m.system == ROUTER})
    if any(m.system == SKELETON for m in measurements) and levels:
        rows = [["model router / skeleton", "throughput", "p50", "p99"]]
        for connections in levels:
            ratios = (ratio_to_skeleton(measurements, connections, figure) for figure in (throughput, p50, p99))
            rows.append([f"at {connections}", *(shown(ratio, 2) for ratio in ratios)])
        parts.append(table(rows))
        parts.append("\n".join(goal.line(measurements) for goal in GOALS))
    return "\n\n".join(part for part in parts if part)


def _speed_rows(here: Sequence[Measurement], connections: int) -> list[list[str]]:
    rows = [[f"at {connections}", "requests/s", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "failed"]]
    for system in _systems(here):
        mine = [m for m in here if m.system == system]
        extra = ["", ""]
        if system != PROVIDER_ALONE:
            extra = [shown(added(here, system, connections, figure), 2) for figure in (p50, p99)]
        rows.append(
            [
                system,
                shown(Spread.of(map(throughput, mine)), 0),
                shown(Spread.of(map(p50, mine)), 2),
                shown(Spread.of(map(p99, mine)), 2),
                *extra,
                str(sum(m.summary.failed for m in mine)),
            ]
        )
    return rows


def _cost_rows(here: Sequence[Measurement]) -> list[list[str]]:
    """A system's CPU and memory without the provider's, and its Redis's work per job."""
    systems = [system for system in _systems(here) if system != PROVIDER_ALONE]
    if not systems:
        return []
    costs = {system: [_costs(m) for m in here if m.system == system] for system in systems}
    table = [["", *systems]]
    for label in costs[systems[0]][0]:
        spreads = [Spread.of(row[label] for row in costs[system]) for system in systems]
        if any(spreads):
            digits = 0 if label.startswith("RSS") else 2
            table.append([label, *(shown(spread, digits) for spread in spreads)])
    return table


def _costs(measurement: Measurement) -> dict[str, float | None]:
    """The same labels in the same order for every measurement; None for what a system does not have."""
    cpu_ms, rss, store = measurement.cpu_ms, measurement.rss_bytes, measurement.store
    costs: dict[str, float | None] = {"CPU ms/request": sum(cpu_ms.get(role, 0.0) for role in _ROLES)}
    costs |= {f"CPU ms, {role}": cpu_ms.get(role) for role in _ROLES}
    costs["RSS MiB"] = sum(rss.get(role, 0) for role in _ROLES) / 2**20
    costs |= {f"RSS MiB, {role}": rss[role] / 2**20 if role in rss else None for role in _ROLES}
    costs["Redis commands/job"] = store.commands if store else None
    costs["... sent by clients"] = store.sent if store else None
    costs["... socket reads"] = store.reads if store else None
    costs["... KiB kept"] = store.kept_bytes / 1024 if store else None
    return costs


def _systems(here: Sequence[Measurement]) -> list[str]:
    first = (PROVIDER_ALONE, SKELETON)
    last = (ROUTER,)
    names = {m.system for m in here}
    between = sorted(names - {*first, *last})
    return [name for name in (*first, *between, *last) if name in names]


def shown(spread: Spread | None, digits: int) -> str:
    """A spread as a cell: the median, and the extremes where there are any; "-" where nothing was measured."""
    if spread is None:
        return "-"
    middle, low, high = (f"{value:,.{digits}f}" for value in (spread.middle, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low}-{high})"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells under a row of heads, in columns: the first to the left, the others to the right."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("   ".join(cells).rstrip())
    return "\n".join(lines)
