"""The errors of a tenant that has come to a limit of its own: a part of the tree in errors.py."""

from routing.errors import RouterError


class LimitReached(RouterError):
    """A limit of the tenant's own refuses the request. Types and codes are OpenAI's; `retry_after_s`: until it fits."""

    status = 429
    code = "rate_limit_exceeded"


class TooManyRequests(LimitReached):
    """As many requests were made in the last minute, or as many jobs are unfinished, as may be."""

    type = "requests"


class TooManyTokens(LimitReached):
    """The request does not fit beside the tokens of the last minute."""

    type = "tokens"


class RequestTooLarge(LimitReached):
    """The request alone is over a limit of tokens."""

    type = "tokens"
    retryable = False


class QuotaExhausted(LimitReached):
    """The day's or the month's quota is used up, or nothing may be used at all: not worth waiting for."""

    type = "insufficient_quota"
    code = "insufficient_quota"
    retryable = False


class QuotaHeld(QuotaExhausted):
    """What is left of a budget is held for jobs under way; what they do not use of it comes back."""

    retryable = True
