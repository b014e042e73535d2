"""What a request is taken to cost, and what calls count for in budgets."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.provider import Price
from routing.catalogue import Deployment
from routing.job import Usage
from routing.plan import Candidate, Plan
from routing.request import RoutingRequest
from routing.speed import USUAL_TOKENS
from routing.spending import MOST_MICROUSD, UNPRICED, counted_microusd, expected_microusd

CHEAP, DEAR = Price(Decimal("0.1"), Decimal("0.5")), Price(Decimal(2), Decimal(8))


def planned(*prices, context_length=None):
    found = [Deployment("p", f"m{n}", price, context_length) for n, price in enumerate(prices)]
    return Plan("balanced", tuple(map(Candidate, found)))


def test_the_dearest_candidate_decides():
    """A job may still go there; with its whole answer."""
    wanted = RoutingRequest("m", prompt_tokens=1000, max_tokens=2000)
    assert expected_microusd(planned(CHEAP, DEAR), wanted) == 1000 * 2 + 2000 * 8
    assert expected_microusd(planned(CHEAP), wanted) == 1100


def test_an_answer_has_a_bound_or_the_usual_length():
    """`max_tokens` as it stands, but for what no context holds; a request for vectors has no answer."""
    assert expected_microusd(planned(DEAR), RoutingRequest("m")) == USUAL_TOKENS * 8
    assert expected_microusd(planned(DEAR, context_length=100), RoutingRequest("m", max_tokens=10**9)) == 800
    assert expected_microusd(planned(DEAR), RoutingRequest("m", prompt_tokens=10, max_tokens=0)) == 20


def test_what_has_no_price_is_not_free():
    """It counts as the dearest in common use, when it is planned for and when it has answered; 0 is a price."""
    used = Usage(prompt_tokens=1000, completion_tokens=10)
    assert counted_microusd(Deployment("p", "m", None), used) == 1000 * 15 + 10 * 75
    assert expected_microusd(planned(DEAR, None), RoutingRequest("m", prompt_tokens=1, max_tokens=1)) == 90
    assert counted_microusd(Deployment("p", "m", Price(Decimal(0), Decimal(0))), used) == 0
    assert UNPRICED.input > DEAR.input


def test_what_is_claimed_stays_countable():
    """More tokens than there are, or fewer than none, are a provider's mistake and not money."""
    deployment = Deployment("p", "m", DEAR)
    assert counted_microusd(deployment, Usage(completion_tokens=10**30)) == MOST_MICROUSD
    assert counted_microusd(deployment, Usage(completion_tokens=-5)) == 0


@given(
    st.lists(st.sampled_from([CHEAP, DEAR, None]), min_size=1, max_size=4),
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
)
def test_an_answer_within_its_bound_costs_no_more_than_was_expected(prices, prompt, bound, answer):
    """Whichever candidate gives it, if the prompt was counted well."""
    wanted = RoutingRequest("m", prompt_tokens=prompt, max_tokens=bound)
    plan = planned(*prices)
    used = Usage(prompt_tokens=prompt, completion_tokens=min(answer, bound))
    assert all(counted_microusd(one.deployment, used) <= expected_microusd(plan, wanted) for one in plan.candidates)
