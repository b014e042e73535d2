"""Budgets in USD on their way into the ledger, and what a caller is told whom one of them refuses.

Without the ledger nobody knows what was spent, and nothing is: a submit without Redis raises (Ledger.submit).
"""

from config.tenant import Tenant, TenantQuotas
from routing.limit_errors import LimitReached, QuotaExhausted, QuotaHeld
from workers.ledger.budgets import KEY_SCOPE
from workers.ledger.headroom import Refused
from workers.spoken import dollars, spoken

_PERIODS = {"daily_usd": "day", "monthly_usd": "month"}
# Where what is held for jobs under way keeps a request out: when to ask again. They end in seconds, often for less.
_HELD_RETRY_S = 2.0


def is_budget(name: str) -> bool:
    """Whether the limit of this name, as in `quotas`, is one of money."""
    return name in _PERIODS


def has_budget(quotas: TenantQuotas) -> bool:
    """Whether money is bounded at all."""
    return quotas.daily_microusd is not None or quotas.monthly_microusd is not None


def budget_words(tenant: Tenant, key: str, of_key: TenantQuotas) -> str:
    """The budgets alone as reserve.lua reads limits: what lines of batches keep to; empty where there are none."""
    scopes = ((f"tenant:{tenant.tenant_id}", tenant.quotas), (f"{KEY_SCOPE}{key}", of_key))
    return " ".join(_scope(name, quotas) for name, quotas in scopes if has_budget(quotas))


def _scope(name: str, quotas: TenantQuotas) -> str:
    budget = (quotas.daily_microusd, quotas.monthly_microusd, quotas.budget_warning)
    return " ".join([name, *"-" * 8, *("-" if word is None else str(word) for word in budget)])


def check_cost(tenant: TenantQuotas, of_key: TenantQuotas, microusd: int) -> None:
    """QuotaExhausted where a request costs more than a budget has in any day or month: to wait would be no use."""
    for quotas, whom in ((tenant, ""), (of_key, " by this key")):
        for name, limit in (("daily_usd", quotas.daily_microusd), ("monthly_usd", quotas.monthly_microusd)):
            if limit is not None and microusd > limit:
                raise QuotaExhausted(_too_dear(name, whom, limit, microusd))


def _too_dear(name: str, whom: str, limit: int, microusd: int) -> str:
    needed = f"this request is taken to cost up to {dollars(microusd)}"
    return f"{_allowed(name, whom, limit)}, and {needed}: send a shorter one, or a lower max_tokens"


def _allowed(name: str, whom: str, limit: int) -> str:
    return f"{name}: {dollars(limit)} USD a {_PERIODS[name]} may be spent{whom}"


def refusal_of(refused: Refused, microusd: int) -> LimitReached:
    """What refuses a request of so many micro-dollars: which budget, what is spent, when the next begins."""
    name, wait_s = refused.name, refused.wait_s
    whom = " by this key" if refused.scope.startswith(KEY_SCOPE) else ""
    if wait_s is None:
        return QuotaExhausted(_too_dear(name, whom, refused.limit, microusd))
    spent = refused.used - refused.held
    told = f"{_allowed(name, whom, refused.limit)}, {dollars(spent)} are spent"
    if refused.held:
        told += f" and {dollars(refused.held)} held for jobs under way"
    told += f"; this request is taken to cost up to {dollars(microusd)}"
    begins = f"the next {_PERIODS[name]} begins in {spoken(wait_s)}, at 00:00 UTC"
    if spent + microusd <= refused.limit:
        return QuotaHeld(f"{told}; try again when some of those have ended; {begins}", retry_after_s=_HELD_RETRY_S)
    return QuotaExhausted(f"{told}; {begins}", retry_after_s=wait_s)
