"""The retry budget: a share of the first tries, and no more, whatever the order of calls."""

from hypothesis import given
from hypothesis import strategies as st

from config.retry import RetryConfig
from routing.retry_budget import RetryBudget

CONFIGS = st.builds(
    RetryConfig, budget_percent=st.sampled_from([0.0, 10.0, 20.0, 33.3]), budget_reserve=st.integers(0, 4)
)
# Gaps in seconds, and whether the call is a first try or one that wants to be a retry.
CALLS = st.lists(st.tuples(st.floats(0, 4), st.booleans()), max_size=300)


def played(config, calls, refused=lambda *_: None):
    """The times of first tries, and of retries that were allowed; `refused` is told of each that was not."""
    budget, now, tries, retries = RetryBudget(config), 1000.0, [], []
    for gap, first in calls:
        now += gap
        if first:
            budget.deposit(now)
            tries.append(now)
        elif budget.allows(now):
            budget.withdraw(now)
            retries.append(now)
        else:
            refused(now, tries, retries)
    return tries, retries


@given(CONFIGS, CALLS)
def test_never_more_than_the_share(config, calls):
    """Over all time there are at most the share of the tries, and the reserve once for each window with retries."""
    tries, retries = played(config, calls)
    windows, left = 0, retries
    while left:
        # From the end: each retry was allowed by what lay within the window before it. Slices make it a tenth shorter.
        windows += 1
        left = [at for at in left if at <= left[-1] - config.budget_window_s * 0.9]
    allowed = len(tries) * config.budget_percent / 100 + config.budget_reserve * windows
    assert len(retries) <= allowed + 1e-6


@given(CONFIGS, CALLS)
def test_nobody_is_refused_without_reason(config, calls):
    """A retry is refused only when the window holds its share already."""

    def refused(now, tries, retries):
        # What is younger than nine slices counts in any case, what is older than the window never.
        paid = sum(at > now - 9 * config.budget_window_s / 10 for at in tries) * config.budget_percent / 100
        assert sum(at > now - config.budget_window_s for at in retries) + 1 > paid + config.budget_reserve

    played(config, calls, refused)


def test_a_lone_request_is_tried_again():
    """With nothing paid in the reserve is there, and comes back with the window."""
    budget = RetryBudget(RetryConfig(budget_reserve=1))
    for start in (0.0, 11.0):
        assert budget.allows(start)
        budget.withdraw(start)
        assert not budget.allows(start + 5)


def test_ten_tries_pay_for_one_retry():
    """At ten percent ten tries are worth one, and only while they are young."""
    budget = RetryBudget(RetryConfig(budget_reserve=0))
    for _ in range(9):
        budget.deposit(0.5)
    assert not budget.allows(0.5)
    budget.deposit(0.5)
    assert budget.allows(0.5)
    assert not budget.allows(10.5)


def test_a_debt_is_paid_by_others():
    """A retry that could not be refused is taken from what others would have had."""
    budget = RetryBudget(RetryConfig(budget_reserve=1))
    budget.withdraw(0)
    budget.withdraw(0)
    for _ in range(10):
        budget.deposit(1)
    assert not budget.allows(1)


def test_what_was_not_used_comes_back():
    """A retry that was taken out and not made may be made by somebody else."""
    config = RetryConfig(budget_percent=0, budget_reserve=1, budget_window_s=10)
    budget = RetryBudget(config)
    budget.withdraw(0.0)
    assert not budget.allows(0.5)
    budget.refund(0.5)
    assert budget.allows(0.5)
    budget.withdraw(0.5)
    assert not budget.allows(0.5)
