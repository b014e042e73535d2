"""A tenant's and a key's limits on their way into the ledger, and what a caller is told whom one of them refuses."""

from config.tenant import Tenant, TenantQuotas
from routing.errors import InvalidRequest
from routing.limit_errors import LimitReached, QuotaExhausted, RequestTooLarge, TooManyRequests, TooManyTokens
from routing.request import RoutingRequest
from workers import budgets
from workers.ledger.budgets import KEY_SCOPE
from workers.ledger.headroom import Refused
from workers.spoken import spoken

# What is allowed, in words.
_ALLOWED = {
    "rate_limit_per_minute": "requests a minute",
    "tokens_per_minute": "tokens a minute",
    "daily_requests": "requests a day",
    "daily_tokens": "tokens a day",
    "monthly_requests": "requests a month",
    "monthly_tokens": "tokens a month",
    "concurrent_jobs": "unfinished jobs at a time",
    "queued_jobs": "queued jobs at a time",
}
NO_QUOTAS = TenantQuotas()


def limit_words(tenant: Tenant, key: str = "", of_key: TenantQuotas = NO_QUOTAS) -> str:
    """The limits as reserve.lua reads them, a scope for the tenant and one for its key; empty where there are none."""
    scopes = [_scope(f"tenant:{tenant.tenant_id}", tenant.quotas)]
    if of_key is not NO_QUOTAS:
        scopes.append(_scope(f"{KEY_SCOPE}{key}", of_key))
    return " ".join(filter(None, scopes))


def _scope(name: str, quotas: TenantQuotas) -> str:
    # In the order of its LIMITS.
    limits = (
        quotas.rate_limit_per_minute,
        quotas.tokens_per_minute,
        quotas.daily_requests,
        quotas.daily_tokens,
        quotas.monthly_requests,
        quotas.monthly_tokens,
        quotas.concurrent_jobs,
        quotas.queued_jobs,
        quotas.daily_microusd,
        quotas.monthly_microusd,
    )
    if limits == (None,) * len(limits):
        return ""
    warning = quotas.budget_warning if budgets.has_budget(quotas) else None
    return " ".join([name, *("-" if limit is None else str(limit) for limit in (*limits, warning))])


def check_size(quotas: TenantQuotas, wanted: RoutingRequest) -> None:
    """InvalidRequest where one request asks for more tokens than it may: its prompt's and its answer's.

    An answer that is not bounded is taken for one of the usual length.
    """
    most = quotas.max_tokens_per_request
    answer = wanted.completion_tokens if wanted.max_tokens is None else wanted.max_tokens
    if most is None or wanted.prompt_tokens + answer <= most:
        return
    raise InvalidRequest(
        f"max_tokens_per_request: {most} tokens are allowed, prompt and answer together; this request is taken to need "
        f"{wanted.prompt_tokens} and {answer}",
        param="max_tokens" if wanted.prompt_tokens < most else None,
    )


def refusal_of(refused: Refused, tokens: int, microusd: int) -> LimitReached:
    """What refuses a request of so many tokens and micro-dollars: which limit, what is used, when it would fit."""
    name, wait_s = refused.name, refused.wait_s
    if budgets.is_budget(name):
        return budgets.refusal_of(refused, microusd)
    by_tokens = "tokens" in name
    whom = " for this key" if refused.scope.startswith(KEY_SCOPE) else ""
    allowed = f"{name}: {refused.limit} {_ALLOWED[name]} are allowed{whom}"
    needed = f"this request is taken to need {tokens}"
    if wait_s is None:
        if by_tokens and refused.limit > 0:
            return RequestTooLarge(f"{allowed}, and {needed}: send a shorter one, or a lower max_tokens")
        return QuotaExhausted(allowed)
    told = f"{allowed}, and {refused.used} are {'there' if name.endswith('_jobs') else 'used'}"
    if by_tokens:
        told += f"; {needed}"
    if name.startswith(("daily", "monthly")):
        return QuotaExhausted(f"{told}; the next begins in {spoken(wait_s)}, at 00:00 UTC", retry_after_s=wait_s)
    kind = TooManyTokens if by_tokens else TooManyRequests
    return kind(f"{told}; try again in {spoken(wait_s)}", retry_after_s=wait_s)
