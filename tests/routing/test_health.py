"""Evidence that fades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.health import HALF_LIFE_S, UNKNOWN, Health
from routing.snapshot import Snapshot
from routing.speed import Speed

NOW = 1_700_000_000.0
sums = st.floats(0, 1e9)


def healths():
    """Healths as the ledger could have written them, at most a day old."""
    return st.builds(
        lambda calls, share, last_s: Health(calls, calls * share, 0, last_s),
        sums,
        st.floats(0, 1),
        st.floats(NOW - 86_400, NOW),
    )


def test_parse_reads_the_ledgers_form():
    """The eleven numbers are read, and the milliseconds of the times become seconds."""
    known = Speed(3, 30, 300, 900.5, 270_300, 9005, 1_700_000_000.1)
    text = "4 3 1 3 30 300 900.5 270300 9005 1700000000100 1700000000123"
    assert Health.parse(text) == Health(4, 3, 1, 1_700_000_000.123, known)


def test_parse_reads_the_older_form():
    """A record from before an upgrade keeps its uptime, and its speed is unknown."""
    found = Health.parse("4 3 900.5 3 1 1700000000123")
    assert found == Health(4, 3, 1, 1_700_000_000.123)
    assert not found.speed.known


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 2 3", "1 1 1 1 1 x", "nan 1 1 1 1 1", "1 1 1 1 inf 1", "-1 0 0 0 0 0", "1 1 1 1 1 1 1"),
        *("1 1 0 nan 1 1 1 1 1 1 1", "1 1 0 1 1 1 1 1 -1 1 1", "1 1 0 1 1 1 1 1 1 1 inf", "1 " * 12),
    ],
)
def test_malformed_is_none(text):
    """What is not eleven finite numbers from 0, or six, is no health."""
    assert Health.parse(text) is None


def test_more_successes_than_calls_is_not_more_than_up():
    """Rounding in the stored sums never makes uptime more than 1."""
    assert Health.parse("9.99999 10 0 0 0 0").uptime(0) == 1.0


@given(st.text(max_size=60))
def test_parse_never_raises(text):
    """No text makes parsing raise."""
    parsed = Health.parse(text)
    assert parsed is None or 0 <= parsed.uptime(NOW) <= 1


def test_unknown_is_trusted():
    """A deployment nobody called is up, with unknown latency."""
    assert UNKNOWN.uptime(NOW) == 1.0
    assert not UNKNOWN.speed.known
    assert Snapshot().of("groq/x") is UNKNOWN


def test_one_failure_does_not_cross_the_shipped_bound_and_two_do():
    """A single failure keeps a deployment above 0.90; a second one at once does not."""
    assert Health(1, 0, 1, NOW).uptime(NOW) > 0.90
    assert Health(2, 0, 2, NOW).uptime(NOW) < 0.90


def test_an_outage_that_is_over_was_one_failure():
    """Failures in a row count as one once a good call ended them; scattered ones count each."""
    health = UNKNOWN
    for good in [True] * 50 + [False] * 60:
        health = health.after(good, 100, 10, NOW)
    assert health.uptime(NOW) < 0.6
    assert health.after(True, 100, 10, NOW).uptime(NOW) > 0.9  # noqa: FBT003 - as the ledger has it
    scattered = UNKNOWN
    for number in range(100):
        scattered = scattered.after(number % 4 == 0, 100, 10, NOW)
    assert scattered.uptime(NOW) < 0.4


def test_an_outage_shows_however_much_was_good_before():
    """Some ten failures are enough after ten thousand good calls."""
    health = Health(100, 100, 0, NOW)
    for _ in range(13):
        health = health.after(False, 100, 10, NOW)  # noqa: FBT003 - as above
    assert health.uptime(NOW) < 0.9


def test_evidence_halves():
    """Evidence counts half after the half-life."""
    assert Health(8, 4, 0, NOW).evidence(NOW + HALF_LIFE_S) == pytest.approx(4)


@given(healths(), st.floats(0, 1e7), st.floats(0, 1e7))
def test_failures_fade(health, sooner, later):
    """Uptime stays within 0..1 and never falls with time alone."""
    sooner, later = sorted((sooner, later))
    assert 0 < health.uptime(NOW + sooner) <= health.uptime(NOW + later) + 1e-12 <= 1 + 2e-12


def test_clock_behind_the_writer():
    """A clock that is behind makes evidence no heavier than new."""
    assert Health(4, 4, 0, NOW).evidence(NOW - 1000) == 4


def test_failures_leave_the_speed_as_it_was():
    """However many calls fail, for however long, what was measured last stays known."""
    health = Health().after(succeeded=True, duration_ms=120.0, completion_tokens=30, now=NOW)
    for hour in range(200):
        health = health.after(succeeded=False, duration_ms=9.0, completion_tokens=0, now=NOW + hour * 3600)
    assert health.speed.mean_ms == 120
    assert health.consecutive_failures == 200
