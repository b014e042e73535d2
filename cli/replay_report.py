"""What a replay found, as JSON and as a table. Computes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.trace_file import TraceFile
from routing.replay_tally import Result

_LABELS = {
    "own": "the job's own call",
    "near": "a call within 5 min",
    "far": "a call further away",
    "guess": "a guess: never called",
}


def as_object(file: TraceFile, results: Sequence[Result], seed: int, filled_in: int) -> dict[str, Any]:
    """The figures side by side. `filled_in` jobs did not tell what they asked."""
    first, last = file.span
    return {
        "trace": {
            "jobs": len(file),
            "from": datetime.fromtimestamp(first, UTC).isoformat(timespec="seconds"),
            "to": datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds"),
            "left_out": dict(file.left_out),
            "without_asked": filled_in,
        },
        "seed": seed,
        "results": [result.as_object() for result in results],
    }


def as_table(found: dict[str, Any]) -> str:
    """The same for people: a column for what was recorded and one for each policy."""
    trace, results = found["trace"], found["results"]
    heading = f"{trace['jobs']:,} jobs, {trace['from']} to {trace['to']}, seed {found['seed']}"
    left_out = [f"{count:,} {why}" for why, count in trace["left_out"].items()]
    if left_out:
        heading += f"; left out: {', '.join(left_out)}"
    rows = [("", *(result["name"] for result in results)), *_rows(results)]
    lines = [heading, "", *_aligned(rows)]
    if trace["without_asked"]:
        lines += ["", f"{trace['without_asked']:,} jobs do not tell what was asked: it was filled in from their usage."]
    if any((result.get("rests_on") or {}).get("guess") for result in results):
        lines += ["", "Guesses are about deployments that the trace never calls: it says nothing of them."]
    return "\n".join(lines)


def _rows(results: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    rows = [
        ("success rate", *(f"{result['success_rate']:.2%}" for result in results)),
        ("failed jobs", *(f"{result['failed']:,}" for result in results)),
        ("cost", *(f"${result['cost_usd']:,.6f}" for result in results)),
    ]
    if any(result["unpriced_answers"] for result in results):
        rows.append(("answers without a price", *(f"{result['unpriced_answers']:,}" for result in results)))
    for name in ("p50", "p90", "p95", "p99"):
        found = (result["latency_ms"].get(name) for result in results)
        rows.append((f"{name} in calls", *("-" if ms is None else f"{ms:,.0f} ms" for ms in found)))
    rows += [
        ("attempts per job", *(f"{result['attempts_per_job']:.3f}" for result in results)),
        ("failed attempts", *(f"{result['failed_attempts']:,}" for result in results)),
    ]
    providers = sorted({provider for result in results for provider in result["share_per_provider"]})
    for provider in providers:
        shares = (result["share_per_provider"].get(provider, 0.0) for result in results)
        rows.append((f"answers of {provider}", *(f"{share:.1%}" for share in shares)))
    for basis, label in _LABELS.items():
        rests = [result.get("rests_on") for result in results]
        if any(row and row[basis] for row in rests):
            rows.append((f"rests on {label}", *("" if row is None else f"{row[basis]:.1%}" for row in rests)))
    return rows


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines
