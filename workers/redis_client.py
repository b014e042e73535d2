"""How this product connects to Redis: one place for time-outs, keep-alive and the error a caller sees."""

from typing import Any

import redis

# A Redis that does not answer within this is away: the caller is told within two seconds (DESIGN: never a hang).
COMMAND_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 1.0


def connect(url: str, *, blocking: bool = False, **options: Any) -> redis.Redis:
    """A client of `url`, connecting lazily. `blocking` is for readers that wait in the server.

    redis-py would end a blocking read after its default time-out, so a blocking client has none of its own.
    """
    settings: dict[str, Any] = {
        "socket_timeout": None if blocking else COMMAND_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        # Retries belong to the callers, who know which of their steps may be repeated.
        "retry": None,
        "decode_responses": False,
        **options,
    }
    return redis.Redis.from_url(url, **settings)
