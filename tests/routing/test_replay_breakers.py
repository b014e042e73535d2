"""The replay's circuit breakers keep to the ledger's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.breaker import BreakerConfig
from routing.breaker import BreakerState
from routing.catalogue import Deployment
from routing.replay_breakers import ReplayBreakers

GROQ, SISTER = Deployment("groq", "m"), Deployment("groq", "n")
CONFIG = BreakerConfig()


def after(*calls, breakers=None, config=CONFIG, deployment=GROQ):
    """Breakers that saw calls: (second, failed)."""
    breakers = breakers or ReplayBreakers(config)
    for now, failed in calls:
        breakers.record(deployment, 0, failed=failed, duration_ms=5, now=now)
    return breakers


def opened(at=9.0):
    return after(*((at - 9 + second, True) for second in range(10)))


def test_half_of_enough_calls_open_it():
    """Nine failures open nothing, the tenth of twenty does, with its account's, for everyone of the account."""
    assert after(*((second, True) for second in range(9))).wait_s(GROQ, 9) == 0
    breakers = after(*((second, second % 2 == 1) for second in range(10)))
    assert breakers.wait_s(GROQ, 9) == 10
    assert breakers.wait_s(SISTER, 14) == 5
    assert {name: row.state for name, row in breakers.shut.items()} == {"groq/m": "open", "groq": "open"}


def test_old_calls_leave_the_window():
    """Failures of more than a window ago open nothing, unless they go on to be ten in a row."""
    nine = [(second, True) for second in range(9)]
    assert after(*nine, (50.0, False), (100.0, True)).wait_s(GROQ, 100) == 0
    breakers = after(*nine, (100.0, True))
    assert {name: row.state for name, row in breakers.shut.items()} == {"groq/m": "open"}


def test_good_probes_close_it_and_bad_ones_open_it_longer():
    """Two good probes of three close it; two bad ones open it for twice as long; a third waits for their outcome."""
    for failed, wait_s in ((False, 0), (True, 20)):
        breakers = opened()
        assert [breakers.let_through(GROQ, run, 19) for run in (1, 2, 3)] == [True] * 3
        assert breakers.wait_s(GROQ, 19) is None
        for run in (1, 2):
            breakers.record(GROQ, run, failed=failed, duration_ms=5, now=20)
        assert breakers.wait_s(GROQ, 20) == wait_s
        assert bool(breakers.shut) == failed


def test_only_probes_count_half_open():
    """A call that began before the breaker opened decides nothing."""
    breakers = opened()
    breakers.let_through(GROQ, 1, 19)
    after(*((19.5, True) for _ in range(20)), breakers=breakers)
    assert breakers.shut["groq"].state is BreakerState.HALF_OPEN


def test_slow_calls_open_it():
    """A window of nothing but slow calls opens it, though they were good; a good quick one among them does not."""
    breakers = ReplayBreakers(CONFIG)
    for second in range(10):
        breakers.record(GROQ, 0, failed=False, duration_ms=60_000, now=second)
    assert breakers.wait_s(GROQ, 9) == 10
    mixed = after((0.0, False))
    for second in range(10):
        mixed.record(GROQ, 0, failed=False, duration_ms=60_000, now=second)
    assert mixed.wait_s(GROQ, 9) == 0


@given(st.integers(1, 400))
def test_waits_never_pass_the_longest(trips):
    """However often it opens without a closing in between, it waits no longer than the longest wait."""
    config = BreakerConfig(exponential_backoff_multiplier=100, permitted_number_of_calls_in_half_open_state=1)
    breakers = after(*((0.0, True) for _ in range(10)), config=config)
    now = 0.0
    for run in range(1, trips):
        now += breakers.wait_s(GROQ, now)
        assert breakers.let_through(GROQ, run, now)
        breakers.record(GROQ, run, failed=True, duration_ms=5, now=now)
    assert breakers.wait_s(GROQ, now) == (10 if trips == 1 else pytest.approx(300))
