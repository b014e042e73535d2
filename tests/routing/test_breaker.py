"""Breakers as routing reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.breaker import Breaker, BreakerState, Bucket

NOW = 1_700_000_000.0
moments = st.integers(0, 10**13)
counts = st.integers(0, 10**6)
buckets = st.tuples(moments, counts, counts, counts)


@st.composite
def texts(draw):
    """Any text breaker.lua could have written."""
    probes = ",".join(draw(st.lists(st.from_regex(r"job_[0-9a-f]{32}:[1-9]", fullmatch=True), max_size=3))) or "-"
    ring = ",".join(":".join(map(str, bucket)) for bucket in draw(st.lists(buckets, max_size=12))) or "-"
    state = draw(st.sampled_from(BreakerState))
    words = [draw(moments), draw(moments), draw(counts), draw(counts)]
    return " ".join([state, *map(str, words), probes, ring])


def test_parse_reads_the_ledgers_form():
    """Every word is read, and ms become seconds."""
    assert Breaker.parse("half_open 1700000000123 0 2 5 job_a:1,job_b:7 1700000000123:1:1:0") == Breaker(
        BreakerState.HALF_OPEN, NOW + 0.123, 0, 2, 5, 2, (Bucket(NOW + 0.123, 1, 1, 0),)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "open",
        "ajar 1 1 1 1 - -",
        "open x 1 1 1 - -",
        "open 1 1 1 1 - 1:2:3",
        "open -1 1 1 1 - -",
        "open 1 1 1 1 - - -",
    ],
)
def test_malformed_is_none(text):
    """What the ledger cannot have written is no breaker."""
    assert Breaker.parse(text) is None


@given(st.text(max_size=80))
def test_parse_never_raises(text):
    """No text makes parsing raise."""
    parsed = Breaker.parse(text)
    assert parsed is None or isinstance(parsed.allows(NOW), bool)


@given(texts(), st.floats(0, 1e10), st.floats(0, 1e10))
def test_a_wait_runs_out_and_does_not_come_back(text, sooner, later):
    """Without news from the ledger, a breaker that allows a call allows it ever after, and its wait never grows."""
    found = Breaker.parse(text)
    sooner, later = sorted((sooner, later))
    first, then = found.wait_s(sooner), found.wait_s(later)
    assert (first is None) == (then is None) == (found.state is BreakerState.FORCED_OPEN)
    if first is not None:
        assert 0 <= then <= first
        assert found.allows(sooner) == (first == 0)


@given(texts(), st.floats(0, 1e10))
def test_only_open_ones_shut_anybody_out(text, now):
    """Closed, half open and forced closed breakers leave the decision to the claim; only an open one has a time."""
    found = Breaker.parse(text)
    if found.state not in (BreakerState.OPEN, BreakerState.FORCED_OPEN):
        assert found.allows(now)
    assert (found.next_attempt_s is None) == (found.state is not BreakerState.OPEN)


def test_failures_outside_the_window_do_not_count():
    """A closed breaker counts what is in its window; an open one what opened it."""
    ring = (Bucket(NOW - 5, 4, 2, 0), Bucket(NOW - 65, 4, 3, 0))
    assert Breaker(ring=ring).failure_count(NOW, 60) == 2
    assert Breaker(BreakerState.OPEN, ring=ring).failure_count(NOW, 60) == 5


def test_forced_ones_are_never_idle():
    """What the operator forced is not forgotten; what nobody used is."""
    assert Breaker(changed_s=5).idle_since(6)
    assert not Breaker(changed_s=5, ring=(Bucket(7, 1, 0, 0),)).idle_since(6)
    assert not Breaker(BreakerState.FORCED_CLOSED, changed_s=5).idle_since(6)
