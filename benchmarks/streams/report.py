"""The tables and goal lines of the benchmark of streams: pure functions of the measurements."""

from collections.abc import Callable, Sequence

from benchmarks.report import PROVIDER_ALONE, ROUTER, Spread, shown, table
from benchmarks.streams.measurement import CROWD, LATENCY, ROLES, THROUGHPUT, StreamMeasurement

LITELLM = "litellm proxy"
_ORDER = (PROVIDER_ALONE, LITELLM, ROUTER)
# Model Router's first token may come so much later than LiteLLM's, at the median, and it must do so much more per CPU.
MOST_LATER_MS = 5.0
LEAST_TIMES_CHUNKS = 2.0

Figure = Callable[[StreamMeasurement], float | None]


def ttft_p50(found: StreamMeasurement) -> float | None:
    """The median time to the first token, in ms."""
    return found.summary.ttft_p50_ms


def ttft_p99(found: StreamMeasurement) -> float | None:
    """The 99th percentile of it."""
    return found.summary.ttft_p99_ms


_TTFTS = (ttft_p50, ttft_p99)


def per_cpu_s(found: StreamMeasurement) -> float | None:
    """Chunks for one second of the gateway's CPU."""
    return 1e6 / found.cpu_ms if found.cpu_ms else None


def versus(
    here: Sequence[StreamMeasurement],
    mine: str,
    other: str,
    figure: Figure,
    compare: Callable[[float, float], float],
) -> Spread | None:
    """`compare` of two systems' figures in the same step, round by round; None where one of them is missing."""
    others = {(m.round, m.step): figure(m) for m in here if m.system == other}
    found: list[float | None] = []
    for measured in here:
        if measured.system == mine:
            a, b = figure(measured), others.get((measured.round, measured.step))
            found.append(None if a is None or b is None else compare(a, b))
    return Spread.of(found)


def added(here: Sequence[StreamMeasurement], system: str, figure: Figure) -> Spread | None:
    """What a system adds to the provider's own figure, in ms."""
    return versus(here, system, PROVIDER_ALONE, figure, lambda whole, alone: whole - alone)


def report(found: Sequence[StreamMeasurement]) -> str:
    """Everything the run found, as text."""
    parts = []
    for title, part, rows in (
        ("time to the first token", LATENCY, latency_rows),
        ("chunks without a pause", THROUGHPUT, throughput_rows),
    ):
        for streams in sorted({m.step.streams for m in found if m.step.part == part}):
            here = [m for m in found if (m.step.part, m.step.streams) == (part, streams)]
            parts.append(table(rows(f"{title}, {streams} at once", here)))
    if crowd := [m for m in found if m.step.part == CROWD]:
        parts.append(table(crowd_rows(crowd)))
    return "\n\n".join([*parts, "\n".join(goals(found))])


def latency_rows(title: str, here: Sequence[StreamMeasurement]) -> list[list[str]]:
    """First tokens, and how late the others were."""
    rows = [[title, "p50 ms", "p99 ms", "added p50", "added p99", "chunk p50 ms", "chunk p99 ms", "failed"]]
    for system in _systems(here):
        mine = [m for m in here if m.system == system]
        more = ["", ""]
        if system != PROVIDER_ALONE:
            more = [shown(added(here, system, figure), 1) for figure in _TTFTS]
        delays = (lambda m: m.summary.delay_p50_ms, lambda m: m.summary.delay_p99_ms)
        rows.append(
            [
                system,
                *(shown(Spread.of(map(figure, mine)), 1) for figure in _TTFTS),
                *more,
                *(shown(Spread.of(map(figure, mine)), 1) for figure in delays),
                str(sum(m.summary.failed for m in mine)),
            ]
        )
    return rows


def throughput_rows(title: str, here: Sequence[StreamMeasurement]) -> list[list[str]]:
    """Chunks a second, and what they cost."""
    roles = [role for role in ROLES if any(role in m.cpu_s for m in here)]
    head = [title, "chunks/s", "CPU ms/1,000", *(f"... {role}" for role in roles), "chunks/CPU s", "failed"]
    rows = [head]
    for system in _systems(here):
        mine = [m for m in here if m.system == system]
        rows.append(
            [
                system,
                shown(Spread.of(m.summary.rate or None for m in mine), 0),
                shown(Spread.of(m.cpu_ms for m in mine), 1),
                *(shown(Spread.of(m.role_cpu_ms(role) for m in mine), 1) for role in roles),
                shown(Spread.of(map(per_cpu_s, mine)), 0),
                str(sum(m.summary.failed for m in mine)),
            ]
        )
    return rows


def crowd_rows(here: Sequence[StreamMeasurement]) -> list[list[str]]:
    """One column for each crowd: what arrived, when, and what it took."""
    crowds = sorted(here, key=lambda m: (_ORDER.index(m.system), -m.step.streams))
    pause_s = crowds[0].step.pace.pause_s
    rows = [[f"crowd, {1 / pause_s:.0f} tokens/s each", *(m.system for m in crowds)]]
    columns = [_crowd_cells(here, m) for m in crowds]
    return rows + [[label, *(cells[label] for cells in columns)] for label in columns[0]]


def _crowd_cells(here: Sequence[StreamMeasurement], crowd: StreamMeasurement) -> dict[str, str]:
    """The same labels in the same order for every crowd."""
    summary = crowd.summary
    cells = {
        "streams": f"{crowd.step.streams:,}",
        "at once at the most": f"{summary.most_at_once:,}",
        "whole": f"{summary.streams:,}",
        "not whole": ", ".join(f"{count} {reason}" for reason, count in summary.errors.items()) or "0",
        "took s (on time)": f"{summary.seconds:.1f} ({crowd.step.nominal_s:.1f})",
        "first token p50, p99 ms": _pair(summary.ttft_p50_ms, summary.ttft_p99_ms),
        # Nothing to compare with where the provider alone was not asked for a crowd of this size.
        "... added": "" if crowd.system == PROVIDER_ALONE else _pair(*(_added(here, crowd, f) for f in _TTFTS)),
        "chunk p50, p99 ms": _pair(summary.delay_p50_ms, summary.delay_p99_ms),
        "chunks/s": f"{summary.rate:,.0f}",
        "CPU ms/1,000 chunks": _cell(crowd.cpu_ms),
    }
    for role in ROLES:
        size = crowd.rss_bytes.get(role)
        cells[f"RSS MiB, {role}"] = "-" if size is None else f"{size / 2**20:.0f}"
    return cells


def goals(found: Sequence[StreamMeasurement]) -> list[str]:
    """Each goal, what was measured, and whether it is reached."""
    lines = []
    for streams in sorted({m.step.streams for m in found if m.step.part == LATENCY}):
        here = [m for m in found if (m.step.part, m.step.streams) == (LATENCY, streams)]
        later = versus(here, ROUTER, LITELLM, ttft_p50, lambda mine, theirs: mine - theirs)
        text = f"first token p50 at {streams}, model router - litellm, ms, goal <= {MOST_LATER_MS:g}"
        lines.append(_goal(text, later, 1, lambda value: value <= MOST_LATER_MS))
    here = [m for m in found if m.step.part == THROUGHPUT]
    times = versus(here, ROUTER, LITELLM, per_cpu_s, lambda mine, theirs: mine / theirs)
    text = f"chunks per CPU second, model router / litellm, goal >= {LEAST_TIMES_CHUNKS:g}"
    lines.append(_goal(text, times, 1, lambda value: value >= LEAST_TIMES_CHUNKS))
    lines += [lost_line(m) for m in found if (m.system, m.step.part) == (ROUTER, CROWD)]
    return lines


def lost_line(crowd: StreamMeasurement) -> str:
    """Whether every stream of Model Router's crowd was whole."""
    text = f"{crowd.step.streams} streams at once through model router, goal nothing lost"
    if crowd.summary.failed:
        return f"{text}: {dict(crowd.summary.errors)}: not reached"
    return f"{text}: {crowd.summary.tokens:,} chunks: reached"


def _goal(text: str, spread: Spread | None, digits: int, is_reached: Callable[[float], bool]) -> str:
    if spread is None:
        return f"{text}: not measured"
    return f"{text}: {shown(spread, digits)}: {'reached' if is_reached(spread.middle) else 'not reached'}"


def _added(here: Sequence[StreamMeasurement], crowd: StreamMeasurement, figure: Figure) -> float | None:
    same = [m for m in here if m.step == crowd.step and m.system in (crowd.system, PROVIDER_ALONE)]
    spread = added(same, crowd.system, figure)
    return spread.middle if spread else None


def _systems(here: Sequence[StreamMeasurement]) -> list[str]:
    return [name for name in _ORDER if any(m.system == name for m in here)]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _pair(first: float | None, second: float | None) -> str:
    return f"{_cell(first)}, {_cell(second)}"
