"""The headers that tell a caller how the limits of its tenant stand: OpenAI's, and the common three."""

import math

from flask import Response, request

from workers.ledger.headroom import Headroom, Standing

# Where in its environment a request keeps what its job's acceptance, or refusal, told of limits.
_HEADROOM = "model_router.headroom"


def note(headroom: Headroom) -> None:
    """Have this request's answer tell it."""
    request.environ[_HEADROOM] = headroom


def tell(response: Response) -> None:
    """Set the headers of the limits there are, where the request was counted."""
    headroom: Headroom | None = request.environ.get(_HEADROOM)
    if headroom is None:
        return
    if headroom.requests is not None:
        _tell(response, "Requests", headroom.requests)
        response.headers["X-RateLimit-Limit"] = str(headroom.requests.limit)
        response.headers["X-RateLimit-Remaining"] = str(headroom.requests.remaining)
        response.headers["X-RateLimit-Reset"] = str(math.ceil(headroom.requests.reset_ms / 1000))
    if headroom.tokens is not None:
        _tell(response, "Tokens", headroom.tokens)


def _tell(response: Response, what: str, standing: Standing) -> None:
    response.headers[f"X-RateLimit-Limit-{what}"] = str(standing.limit)
    response.headers[f"X-RateLimit-Remaining-{what}"] = str(standing.remaining)
    response.headers[f"X-RateLimit-Reset-{what}"] = duration(standing.reset_ms)


def duration(milliseconds: int) -> str:
    """A time as OpenAI's headers have it: 12ms, 59s, 6m0s, 23h0m5s. Rounded up."""
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, seconds = divmod(math.ceil(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
