"""Limits: who is let in, and what a refusal says."""

import pytest

from sandbox.behaviour import Limits
from sandbox.meter import Account, Exceeded, Gauges, Meter

GROQ = Account("groq", "key")


@pytest.fixture
def meter():
    return Meter()


def admit(meter, limits, now, tokens=10, account=GROQ):
    return meter.admit(account, limits, tokens, now)


def test_limit_of_requests_is_enforced(meter):
    """As many calls as the limit are let in at once, and no more."""
    limits = Limits(requests_per_minute=3)
    assert [isinstance(admit(meter, limits, 0), Gauges) for _ in range(5)] == [True, True, True, False, False]


def test_retry_after_is_honest(meter):
    """The same call is refused just before the time it was told, and let in at it."""
    limits = Limits(requests_per_minute=6)
    for _ in range(6):
        admit(meter, limits, 0)
    refused = admit(meter, limits, 0)
    assert refused.retry_after_s == pytest.approx(10)
    assert isinstance(admit(meter, limits, refused.retry_after_s - 0.01), Exceeded)
    assert isinstance(admit(meter, limits, refused.retry_after_s), Gauges)


def test_refused_call_is_not_charged(meter):
    """Being refused by one limit takes nothing from the others."""
    limits = Limits(requests_per_minute=100, tokens_per_minute=10)
    admit(meter, limits, 0)
    refused = admit(meter, limits, 0)
    assert refused.limit_name == "tokens_per_minute"
    assert refused.gauges.requests_per_minute.remaining == 99


def test_gauges_tell_what_is_left_and_when_it_is_full(meter):
    """A gauge says limit, rest, and the seconds until all of it is back."""
    gauges = admit(meter, Limits(requests_per_day=14400, tokens_per_minute=600), 0, tokens=60)
    assert gauges.requests_per_day.remaining == 14399
    assert gauges.requests_per_day.reset_s == pytest.approx(6)
    assert gauges.tokens_per_minute.remaining == 540
    assert gauges.tokens_per_minute.reset_s == pytest.approx(6)


def test_call_larger_than_the_limit_waits_for_a_full_bucket(meter):
    """A call of more tokens than a minute has is let in when nothing else is spent."""
    limits = Limits(tokens_per_minute=100)
    assert isinstance(admit(meter, limits, 0, tokens=500), Gauges)
    assert admit(meter, limits, 0, tokens=500).retry_after_s == pytest.approx(60)


def test_concurrency_counts_calls_under_way(meter):
    """The call over the limit is refused until one of the others ends."""
    limits = Limits(concurrency=2)
    admit(meter, limits, 0)
    admit(meter, limits, 0)
    assert admit(meter, limits, 0).limit_name == "concurrency"
    meter.release(GROQ)
    assert isinstance(admit(meter, limits, 0), Gauges)


def test_keys_and_providers_have_their_own_limits(meter):
    """One account's use is not another's."""
    limits = Limits(requests_per_minute=1)
    accounts = [GROQ, Account("groq", "other"), Account("openai", "key")]
    assert all(isinstance(admit(meter, limits, 0, account=account), Gauges) for account in accounts)
    assert all(isinstance(admit(meter, limits, 0, account=account), Exceeded) for account in accounts)


def test_refill_fills_one_provider(meter):
    """Refilling a provider leaves the others' use."""
    limits = Limits(requests_per_minute=1)
    other = Account("openai", "key")
    admit(meter, limits, 0)
    admit(meter, limits, 0, account=other)
    meter.refill("groq")
    assert isinstance(admit(meter, limits, 0), Gauges)
    assert isinstance(admit(meter, limits, 0, account=other), Exceeded)
