"""What a request is taken to cost before it is run, and what its calls count for in budgets. Pure.

Budgets must not be overrun by what nobody knows the price of: a deployment without a price counts as UNPRICED. Whoever
knows better, or has a server of its own, gives it a price in providers.json; 0 is a price.
"""

from decimal import Decimal

from config.provider import Price
from routing.catalogue import Deployment
from routing.job import Usage
from routing.plan import Plan
from routing.prices import cost_microusd
from routing.request import RoutingRequest
from routing.speed import USUAL_TOKENS

# A provider may claim anything, and a caller ask for it; what is counted must stay countable. 100,000 USD.
MOST_MICROUSD = 10**11
# As the dearest models in common use, USD per million tokens.
UNPRICED = Price(Decimal(15), Decimal(75))


def expected_microusd(planned: Plan, wanted: RoutingRequest) -> int:
    """What the request costs at the dearest of its candidates, micro-dollars, if its answer is as long as it may be.

    An answer that is not bounded is taken for one of the usual length.
    """
    return max((_expected(candidate.deployment, wanted) for candidate in planned.candidates), default=0)


def _expected(deployment: Deployment, wanted: RoutingRequest) -> int:
    answer = USUAL_TOKENS if wanted.max_tokens is None else wanted.max_tokens
    if deployment.context_length is not None:
        answer = min(answer, deployment.context_length)
    return counted_microusd(deployment, Usage(wanted.prompt_tokens, answer))


def counted_microusd(deployment: Deployment, usage: Usage) -> int:
    """What `usage` counts for in budgets, micro-dollars: at most MOST_MICROUSD."""
    return min(max(cost_microusd(deployment.price or UNPRICED, usage), 0), MOST_MICROUSD)
