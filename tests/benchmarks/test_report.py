from benchmarks.measurement import Measurement, StoreWork
from benchmarks.report import (
    GOALS,
    PROVIDER_ALONE,
    ROUTER,
    SKELETON,
    Spread,
    added,
    p50,
    ratio_to_skeleton,
    report,
    throughput,
)
from benchmarks.summary import Summary


def measurement(system, connections, number, per_s, p50_ms, *, errors=None):
    summary = Summary(int(per_s), 1.0, per_s, p50_ms, p50_ms, p50_ms * 2, p50_ms * 3, errors or {})
    store = None if system == PROVIDER_ALONE else StoreWork(12.0, 6.0, 3.0, 2048.0, {"hset": 1.0})
    return Measurement(system, connections, number, summary, {"api": 1.0, "provider": 9.0}, {"api": 2**20}, store)


def rounds(connections, router, skeleton):
    """One measurement of each system per round, from (requests/s, p50 ms) pairs."""
    found = [measurement(PROVIDER_ALONE, connections, number, 9000, 0.5) for number in range(len(router))]
    found += [measurement(ROUTER, connections, number, *pair) for number, pair in enumerate(router)]
    found += [measurement(SKELETON, connections, number, *pair) for number, pair in enumerate(skeleton)]
    return found


def test_ratios_are_taken_within_a_round():
    """A machine twice as slow in one round changes no ratio of that round."""
    found = rounds(32, router=[(200, 5), (100, 10), (200, 5)], skeleton=[(100, 10), (50, 20), (100, 10)])
    assert ratio_to_skeleton(found, 32, throughput) == Spread(2.0, 2.0, 2.0)
    assert ratio_to_skeleton(found, 32, p50) == Spread(0.5, 0.5, 0.5)


def test_added_latency_is_what_the_provider_alone_does_not_take():
    """The provider's own latency in the same round is taken off."""
    found = rounds(1, router=[(200, 5)], skeleton=[(100, 10)])
    assert added(found, ROUTER, 1, p50) == Spread(4.5, 4.5, 4.5)


def test_goals_tell_reached_from_missed_and_from_not_measured():
    """Each goal line states the bound, the ratio and the outcome of the median."""
    at_32, at_1 = GOALS
    good = rounds(32, router=[(100, 5)], skeleton=[(100, 5)]) + rounds(1, router=[(9, 14)], skeleton=[(9, 10)])
    bad = rounds(32, router=[(99, 5)], skeleton=[(100, 5)]) + rounds(1, router=[(9, 16)], skeleton=[(9, 10)])
    assert [goal.line(good).rpartition(": ")[2] for goal in GOALS] == ["reached", "reached"]
    assert [goal.line(bad).rpartition(": ")[2] for goal in GOALS] == ["not reached", "not reached"]
    assert at_32.line([]).endswith("goal >= 1.0: not measured")
    assert at_1.line([]).endswith("goal <= 1.5: not measured")


def test_a_round_that_answered_nothing_has_no_ratio():
    """A skeleton that failed a whole round is left out, never divided by."""
    found = rounds(32, router=[(200, 5), (200, 5)], skeleton=[(0, 10), (100, 10)])
    assert ratio_to_skeleton(found, 32, throughput) == Spread(2.0, 2.0, 2.0)


def test_the_report_shows_every_system_its_failures_and_its_spread():
    """Tables name each system once per level, with medians, extremes and failed requests."""
    found = rounds(32, router=[(200, 5), (240, 5), (220, 5)], skeleton=[(100, 10)] * 3)
    found.append(measurement(ROUTER, 32, 3, 230, 5, errors={"status 502": 7}))
    text = report(found)
    router = next(line for line in text.splitlines() if line.startswith(ROUTER))
    assert "225 (200-240)" in router
    assert router.endswith("7")
    assert "CPU ms, api" in text
    # The provider's CPU is the same for all and belongs to none of them.
    assert "CPU ms, provider" not in text


def test_a_report_of_the_provider_alone_has_no_ratios():
    """What was not run is left out instead of failing."""
    text = report([measurement(PROVIDER_ALONE, 1, 1, 9000, 0.5)])
    assert PROVIDER_ALONE in text
    assert "goal" not in text
