"""Limits and budgets as words for the ledger, and refusals as callers are told them."""

from decimal import Decimal

import pytest

from config.tenant import Tenant, TenantQuotas
from routing.limit_errors import QuotaExhausted, QuotaHeld
from workers.budgets import budget_words, check_cost
from workers.ledger.headroom import Headroom, Refused
from workers.tenant_limits import limit_words, refusal_of

BUDGET = {"daily_microusd": 10_000_000, "budget_warning": Decimal("0.5")}


def refused(name="daily_usd", limit=10_000_000, used=9_800_000, wait_s=3600.0, scope="tenant:acme", held=0):
    return Refused(name, limit, used, wait_s, Headroom(), scope, held)


def test_limits_are_twelve_words_a_scope():
    """The tenant's, then the key's; who has none has no scope, and lines of batches keep to money alone."""
    both = TenantQuotas(rate_limit_per_minute=5, **BUDGET)
    assert limit_words(Tenant("acme", quotas=both)) == "tenant:acme 5 - - - - - - - 10000000 - 0.5"
    key = TenantQuotas(queued_jobs=3)
    assert limit_words(Tenant("acme"), "key_1", key) == "key:key_1 - - - - - - - 3 - - -"
    assert len(limit_words(Tenant("acme", quotas=both), "key_1", key).split()) == 24
    assert limit_words(Tenant("acme"), "key_1", TenantQuotas()) == ""
    assert budget_words(Tenant("acme", quotas=both), "key_1", key) == "tenant:acme - - - - - - - - 10000000 - 0.5"
    assert (
        budget_words(Tenant("acme"), "key_1", TenantQuotas(monthly_microusd=7)) == "key:key_1 - - - - - - - - - 7 0.8"
    )


def test_a_spent_budget_is_told_with_what_is_spent_needed_and_when_the_next_begins():
    """In dollars, and not to be tried again before."""
    error = refusal_of(refused(wait_s=7500.0), 10, 300_000)
    assert type(error) is QuotaExhausted
    assert error.message == (
        "daily_usd: 10 USD a day may be spent, 9.8 are spent; this request is taken to cost up to 0.3; "
        "the next day begins in 2 h 5 min, at 00:00 UTC"
    )
    assert (error.retryable, error.retry_after_s) == (False, 7500.0)


def test_what_is_held_may_come_back_soon():
    """Where it is only that, asking again is worth while; a key's budget is told as one."""
    error = refusal_of(refused(held=9_000_000, scope="key:k", name="monthly_usd"), 10, 300_000)
    assert type(error) is QuotaHeld
    assert "10 USD a month may be spent by this key, 0.8 are spent and 9 held for jobs under way" in error.message
    assert (error.code, error.retryable) == ("insufficient_quota", True)


def test_what_is_over_the_whole_budget_is_not_to_be_tried_again():
    """Nor does it make a line of a batch wait."""
    error = refusal_of(refused(wait_s=None), 10, 11_000_000)
    assert "and this request is taken to cost up to 11: send a shorter one" in error.message
    check_cost(TenantQuotas(**BUDGET), TenantQuotas(), 10_000_000)
    for quotas in ((TenantQuotas(**BUDGET), TenantQuotas()), (TenantQuotas(), TenantQuotas(**BUDGET))):
        with pytest.raises(QuotaExhausted):
            check_cost(*quotas, 10_000_001)


def test_a_keys_limit_is_told_as_one():
    """So that its owner knows whose limit to ask for."""
    error = refusal_of(refused("rate_limit_per_minute", 60, 60, 5.0, "key:k"), 1, 0)
    assert error.message.startswith(
        "rate_limit_per_minute: 60 requests a minute are allowed for this key, and 60 are used"
    )
