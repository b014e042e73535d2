"""A tenant's limits on their way into the ledger, and what a caller is told whom one of them refuses."""

from config.tenant import Tenant, TenantQuotas
from routing.errors import InvalidRequest
from routing.limit_errors import LimitReached, QuotaExhausted, RequestTooLarge, TooManyRequests, TooManyTokens
from routing.request import RoutingRequest
from workers.ledger.headroom import Refused

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
_DAY_S = 86_400


def limit_words(tenant: Tenant) -> str:
    """The limits as reserve.lua reads them, one scope for now; empty where there are none."""
    quotas = tenant.quotas
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
    )
    if limits == (None,) * len(limits):
        return ""
    return " ".join([f"tenant:{tenant.tenant_id}", *("-" if limit is None else str(limit) for limit in limits)])


def check_size(quotas: TenantQuotas, wanted: RoutingRequest) -> None:
    """InvalidRequest where one request asks for more tokens than the tenant's may: its prompt's and its answer's.

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


def refusal_of(refused: Refused, tokens: int) -> LimitReached:
    """What refuses a request of so many tokens: which limit, how much of it is used, and when the request would fit."""
    name, wait_s = refused.name, refused.wait_s
    by_tokens = "tokens" in name
    allowed = f"{name}: {refused.limit} {_ALLOWED[name]} are allowed"
    needed = f"this request is taken to need {tokens}"
    if wait_s is None:
        if by_tokens and refused.limit > 0:
            return RequestTooLarge(f"{allowed}, and {needed}: send a shorter one, or a lower max_tokens")
        return QuotaExhausted(allowed)
    told = f"{allowed}, and {refused.used} are {'there' if name.endswith('_jobs') else 'used'}"
    if by_tokens:
        told += f"; {needed}"
    if name.startswith(("daily", "monthly")):
        return QuotaExhausted(f"{told}; the next begins in {_spoken(wait_s)}, at 00:00 UTC", retry_after_s=wait_s)
    kind = TooManyTokens if by_tokens else TooManyRequests
    return kind(f"{told}; try again in {_spoken(wait_s)}", retry_after_s=wait_s)


def _spoken(seconds: float) -> str:
    if seconds <= 120:
        return f"{seconds:.1f} s"
    if seconds < _DAY_S:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
    return f"{int(seconds // _DAY_S)} d {int(seconds % _DAY_S // 3600)} h"
