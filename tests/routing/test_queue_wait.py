"""How long a job would wait in a queue, from readings of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.queue_wait import LONGEST_S, LONGEST_STUCK_S, QueueReading, QueueWatch, watched


def reading(second, claims, *depths):
    """A queue with so many jobs at the steps priority, default, flex and batch."""
    return QueueReading((*depths, *(0,) * (4 - len(depths))), claims, 1000.0 + second)


def after(*readings):
    """The waits in ms after these readings."""
    first, *rest = readings
    watch = QueueWatch(first)
    for found in rest:
        watch = watch.next(found)
    return watch.waits_ms


def test_one_reading_says_nothing():
    """A depth alone is no wait: nobody knows yet how fast it goes."""
    assert after(reading(0, 0, 50)) == (0, 0, 0, 0)


def test_wait_is_what_stands_over_the_rate():
    """Forty jobs stand and ten are taken a second: four seconds."""
    assert after(reading(0, 100, 0, 40), reading(1, 110, 0, 50))[1] == pytest.approx(4000)


def test_priorities_wait_for_those_before_them():
    """A job waits for what stands at its own step and before it, and not for what is behind."""
    waits = after(reading(0, 0, 0, 20, 0, 500), reading(1, 10, 0, 20, 30, 500))
    assert waits == pytest.approx((0, 2000, 2000, 52_000))


def test_a_queue_that_moves_is_no_wait():
    """A healthy queue has a few jobs in it whenever one looks, and none that stands."""
    assert after(reading(0, 0, 0, 9), reading(1, 900), reading(2, 1800, 0, 7), reading(3, 2700)) == (0, 0, 0, 0)


def test_a_stuck_queue_waits_as_long_as_it_is_stuck():
    """Nobody takes what stands: the wait grows with the time, up to a minute, and ends with the first job taken."""
    readings = [reading(second, 7, 0, 1) for second in range(100)]
    assert after(*readings[:4])[1] == pytest.approx(3000)
    assert after(*readings)[1] == LONGEST_STUCK_S * 1000
    assert after(*readings)[0] == 0
    assert after(*readings, reading(100, 8))[1] == 0


def test_a_slow_provider_does_not_flap():
    """A job every three seconds, and ten that stand: about half a minute, however the readings fall."""
    watch = QueueWatch(reading(0, 0, 0, 10))
    waits = []
    for second in range(1, 60):
        watch = watch.next(reading(second, second // 3, 0, 10))
        waits.append(watch.waits_ms[1])
    assert min(waits[20:]) > 20_000
    assert max(waits[20:]) < 45_000


def test_a_store_that_was_emptied():
    """A counter that begins again is no negative rate."""
    assert after(reading(0, 10**6, 0, 10), reading(1, 5, 0, 10))[1] == pytest.approx(2000)


def test_a_clock_that_stands_still():
    """Two readings at one moment, or in the wrong order, change nothing."""
    assert after(reading(1, 0, 0, 5), reading(1, 3, 0, 5)) == (0, 0, 0, 0)
    assert after(reading(1, 0, 0, 5), reading(0, 3, 0, 5)) == (0, 0, 0, 0)


def test_only_those_who_wait_are_named():
    """New providers begin, old ones leave, and a provider without a wait is not in the waits."""
    before, waits = watched({}, {"a": reading(0, 0, 0, 5), "b": reading(0, 0), "gone": reading(0, 0, 9)})
    assert waits == {}
    watches, waits = watched(before, {"a": reading(1, 1, 0, 5), "b": reading(1, 0), "new": reading(1, 0, 9)})
    assert watches.keys() == {"a", "b", "new"}
    assert waits == {"a": (0, 5000, 5000, 5000)}


@given(st.lists(st.tuples(st.floats(0.1, 5), st.integers(0, 100), st.tuples(*[st.integers(0, 50)] * 4)), min_size=2))
def test_waits_are_bounded_and_rise_with_the_step(steps):
    """Whatever is read, no wait is negative or longer than its bound, and who is less urgent waits no less."""
    watch, claims, second = None, 0, 0.0
    for gap_s, claimed, depths in steps:
        second, claims = second + gap_s, claims + claimed
        found = reading(second, claims, *depths)
        watch = QueueWatch(found) if watch is None else watch.next(found)
        assert list(watch.waits_ms) == sorted(watch.waits_ms)
        assert watch.waits_ms[0] >= 0
        assert watch.waits_ms[-1] <= LONGEST_S * 1000
