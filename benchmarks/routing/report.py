"""The printed table of a scenario, and the JSON of all of them. Pure."""

from collections.abc import Sequence
from typing import Any

from benchmarks.report import table
from benchmarks.routing.figures import Figures
from benchmarks.routing.performance import Performance

_HEAD = (
    "success %", "p50 ms", "p95 ms", "p95 after", "USD/1000", "wasted", "shift s", "return s", "shares %",
)  # fmt: skip


def report(performance: Performance) -> str:
    """The scenario's table, its failures and its goals."""
    scenario = performance.scenario
    rows = [[scenario.name, *_HEAD]]
    rows += [[name, *_cells(found)] for name, found in performance.found.items()]
    lines = [table(rows), f"shares: {', '.join(scenario.start)}"]
    lines += [f"{name} failed: {dict(found.problems)}" for name, found in performance.found.items() if found.problems]
    lines += [f"goal {goal.line()}" for goal in performance.goals]
    if performance.disturbed:
        lines.append(f"BUSY MACHINE: 5 % of requests were sent over {performance.late_ms:.0f} ms late; run it again")
    return "\n".join(lines)


def to_json(performances: Sequence[Performance]) -> list[dict[str, Any]]:
    """Every scenario's figures and goals as JSON objects."""
    return [
        {
            "scenario": performance.scenario.name,
            "story": performance.scenario.story,
            "seconds": performance.scenario.seconds,
            "late_p95_ms": performance.late_ms,
            "strategies": {name: found.to_json() for name, found in performance.found.items()},
            "goals": [{"goal": goal.name, "seen": goal.seen, "reached": goal.reached} for goal in performance.goals],
        }
        for performance in performances
    ]


def _cells(found: Figures) -> list[str]:
    return [
        f"{found.success * 100:.2f}".removesuffix(".00"),
        _number(found.p50_ms, 0),
        _number(found.p95_ms, 0),
        _number(found.settled_p95_ms, 0),
        f"{found.cost_per_1000_usd:.3f}",
        str(found.wasted),
        _number(found.shift_s, 1),
        _number(found.return_s, 1),
        "/".join(f"{share * 100:.0f}" for share in found.shares.values()),
    ]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
