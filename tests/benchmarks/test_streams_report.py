from benchmarks.report import PROVIDER_ALONE, ROUTER, Spread
from benchmarks.streams.command import smaller
from benchmarks.streams.measurement import CROWD, LATENCY, THROUGHPUT, Step, StreamMeasurement
from benchmarks.streams.pace import Pace
from benchmarks.streams.report import LITELLM, added, goals, report, ttft_p50
from benchmarks.streams.summary import StreamSummary

PACE = Pace(50, 0.05)


def measured(system, part, ttft_ms=1.0, cpu_s=1.0, *, streams=1, number=1, seconds=4.0, errors=None):
    """1,000 chunks; `cpu_s` of the gateway, and as much of the provider, which counts for nobody."""
    step = Step(part, streams, PACE, ramp_s=0.5, limit_s=60.0)
    summary = StreamSummary(20, 1000, seconds, ttft_ms, ttft_ms * 2, 1.0, 2.0, streams, errors or {})
    role = {ROUTER: {"worker": cpu_s}, LITELLM: {"litellm": cpu_s}}.get(system, {})
    rss = dict.fromkeys(role, 2**20)
    return StreamMeasurement(system, step, number, summary, {**role, "provider": cpu_s}, rss)


def test_added_time_is_compared_within_a_round():
    """A slow spell of the machine hits the provider's figure as well as the gateway's."""
    found = [
        measured(system, LATENCY, ms + slow, number=number)
        for number, slow in ((1, 0.0), (2, 100.0))
        for system, ms in ((PROVIDER_ALONE, 1.0), (ROUTER, 5.0))
    ]
    assert added(found, ROUTER, ttft_p50) == Spread(4.0, 4.0, 4.0)


def test_goals_tell_reached_from_missed_and_from_not_measured():
    """Each goal line has the bound, what was measured, and the outcome."""
    good = [
        measured(LITELLM, LATENCY, 10.0),
        measured(ROUTER, LATENCY, 15.0),
        measured(LITELLM, THROUGHPUT, cpu_s=2.0),
        measured(ROUTER, THROUGHPUT, cpu_s=1.0),
        measured(ROUTER, CROWD, streams=1000),
    ]
    bad = [
        measured(LITELLM, LATENCY, 10.0),
        measured(ROUTER, LATENCY, 15.2),
        measured(LITELLM, THROUGHPUT, cpu_s=1.9),
        measured(ROUTER, THROUGHPUT, cpu_s=1.0),
        measured(ROUTER, CROWD, streams=1000, errors={"tokens lost": 1}),
    ]
    assert [line.rpartition(": ")[2] for line in goals(good)] == ["reached"] * 3
    assert [line.rpartition(": ")[2] for line in goals(bad)] == ["not reached"] * 3
    alone = goals([measured(ROUTER, LATENCY), measured(ROUTER, THROUGHPUT)])
    assert [line.rpartition(": ")[2] for line in alone] == ["not measured"] * 2


def test_the_providers_cpu_counts_for_no_gateway():
    """A second of the gateway's CPU for 1,000 chunks is 1,000 ms, and the provider alone has no such figure."""
    assert measured(ROUTER, THROUGHPUT).cpu_ms == 1000
    assert measured(PROVIDER_ALONE, THROUGHPUT).cpu_ms is None


def test_a_crowd_that_is_broken_or_late_was_not_carried():
    """A crowd of 3 s keeps up within 4.5 s, every stream whole."""
    assert measured(LITELLM, CROWD, seconds=4.4).kept_up
    assert not measured(LITELLM, CROWD, seconds=4.6).kept_up
    assert not measured(LITELLM, CROWD, errors={"no end": 1}).kept_up


def test_a_gateway_that_was_too_slow_is_tried_with_what_its_rate_is_enough_for():
    """250 chunks/s are enough for 12 streams of 20 tokens/s, so 10 are tried; never more than half, never none."""
    assert smaller(measured(LITELLM, CROWD, streams=1000, seconds=4.0)) == 10
    assert smaller(measured(LITELLM, CROWD, streams=16, seconds=4.0)) == 8
    assert smaller(measured(LITELLM, CROWD, streams=1, seconds=4.0)) == 1


def test_the_report_has_a_column_for_each_crowd_and_what_broke():
    """LiteLLM's smaller second crowd stands beside its first; the provider's figure is taken off for the same size."""
    found = [
        measured(PROVIDER_ALONE, CROWD, 1.0, streams=1000),
        measured(LITELLM, CROWD, 900.0, streams=1000, errors={"no end": 7}),
        measured(LITELLM, CROWD, 50.0, streams=500),
        measured(ROUTER, CROWD, 9.0, streams=1000),
    ]
    rows = {line[:23].strip(): line[23:].split("   ") for line in report(found).splitlines() if line}
    cells = {label: [cell.strip() for cell in row if cell.strip()] for label, row in rows.items()}
    assert cells["streams"] == ["1,000", "1,000", "500", "1,000"]
    assert cells["not whole"] == ["0", "7 no end", "0", "0"]
    assert cells["... added"] == ["899.0, 1,798.0", "-, -", "8.0, 16.0"]
