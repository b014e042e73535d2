"""A tenant's account on a ledger whose clock the test sets."""

import pytest

from tests.support.account import NOON, Account
from tests.support.clock import Clock, on_clock


@pytest.fixture
def clock(redis, settings):
    return Clock(redis, settings.key_prefix, NOON)


@pytest.fixture
def account(ledger, clock, redis, settings):
    return Account(on_clock(ledger), clock, redis, settings.key_prefix)
