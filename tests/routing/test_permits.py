"""Permits as routing reads them. That the script reckons alike is tests/workers/ledger/test_permits.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.permits import Permits, demand, longest_wait_s


def test_a_record_is_read():
    """The gate, and each bucket with its times in seconds."""
    held = Permits.parse("5000 7000 rpm 60 60000 1.5 1000 tpm 900 60000 -30 2000")
    assert (held.gate_s, held.told_s) == (5.0, 7.0)
    assert [(bucket.name, bucket.limit, bucket.period_s, bucket.level, bucket.at_s) for bucket in held.buckets] == [
        ("rpm", 60, 60, 1.5, 1.0), ("tpm", 900, 60, -30, 2.0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1 1 rpm", "0 0 rpm 0 60000 1 1", "0 0 rpm 5 0 1 1", "0 0 rpm nan 60000 1 1", "inf 0"]
)
def test_a_malformed_one_is_none(text):
    """Nothing is made of what cannot be read."""
    assert Permits.parse(text) is None


def test_the_wait_is_what_is_missing_at_the_pace_it_comes_back():
    """Half a request is missing at one a second (99 % of it); with two ahead, two more."""
    held = Permits.parse("0 0 rpm 60 60000 0.5 10000")
    assert held.wait_s(10.0, demand(0, 0)) == pytest.approx(0.5 / 0.99)
    assert held.wait_s(10.0, demand(0, 0), ahead=2) == pytest.approx(2.5 / 0.99)
    assert held.wait_s(11.0, demand(0, 0)) == 0


def test_the_gate_and_every_scope_count():
    """The longest of all waits is the wait."""
    gated, empty = Permits.parse("30000 0"), Permits.parse("0 0 rpm 60 60000 0 10000")
    assert longest_wait_s([gated, empty, None], 10.0, demand(0, 0), 0) == 20.0
    assert longest_wait_s([None, None], 10.0, demand(0, 0), 0) == 0.0


@given(st.floats(1, 1e6), st.floats(1, 1e5), st.floats(-1e6, 1e6), st.floats(0, 1e7), st.integers(0, 100))
def test_waits_are_never_negative_and_grow_with_those_ahead(limit, period_s, level, amount, ahead):
    """Nobody waits less for having more before him, and a call over the whole limit waits for a full bucket only."""
    held = Permits.parse(f"0 0 tpm {limit} {period_s * 1000} {level} 0")
    own, behind = (held.wait_s(1.0, {"tpm": amount}, number) for number in (0, ahead))
    assert 0 <= own <= behind
    assert held.wait_s(1.0, {"tpm": 1e12}) <= (held.buckets[0].size + max(-level, 0)) / held.buckets[0].per_s + 1e-6
