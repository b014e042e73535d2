"""Shares of a window: never more than it has room for, and nobody without any."""

from hypothesis import given
from hypothesis import strategies as st

from routing.job import ServiceTier
from workers.batches.ordering import tier_of_age
from workers.batches.shares import Rooms, share

WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1)


@given(WEIGHTS, st.integers(1, 500))
def test_shares_fill_the_window_and_leave_nobody_out(weights, window):
    """Together at most the window, but for those who have the one that everybody has; more weight, no less of it."""
    shares = {tenant: share(tenant, weights, window) for tenant in weights}
    assert all(count >= 1 for count in shares.values())
    assert sum(count for count in shares.values() if count > 1) <= window
    for one, other in zip(weights, list(weights)[1:], strict=False):
        if weights[one] >= weights[other]:
            assert shares[one] >= shares[other]


@given(WEIGHTS, st.integers(1, 60), st.lists(st.sampled_from("abcdef"), max_size=200))
def test_what_is_given_away_stays_within_the_window(weights, window, wishes):
    """Whoever asks in whichever order: a provider is never sent more than its window."""
    rooms, given_away = Rooms({}, {"groq": window}, weights), 0
    for tenant in wishes:
        if tenant in weights and rooms.at(tenant, "groq") > 0:
            rooms.take(tenant, "groq")
            given_away += 1
    assert given_away <= window


def test_who_has_least_for_its_weight_goes_first():
    """Load is what is in flight at all providers, for the tenant's weight."""
    rooms = Rooms({("a", "groq"): 4, ("a", "other"): 2, ("b", "groq"): 4}, {"groq": 20}, {"a": 3, "b": 1})
    assert (rooms.load("a"), rooms.load("b")) == (2.0, 4.0)
    assert rooms.at("a", "groq") == 11
    assert rooms.at("a", "nobody") == 0


def test_lines_age():
    """Below flex at first; as the window ends they go with flex, and at last with everybody."""
    assert tier_of_age(100, 100) is ServiceTier.BATCH
    assert tier_of_age(24, 100) is ServiceTier.FLEX
    assert tier_of_age(9, 100) is ServiceTier.DEFAULT
