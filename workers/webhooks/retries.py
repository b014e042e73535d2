"""When a webhook that was not taken is sent again. Pure."""

import email.utils
import random

# Before the second attempt, the third and so on: the schedule Standard Webhooks suggests.
DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Spreads deliveries that failed together.
_JITTER = 0.1
# The longest wait a receiver may ask for.
MAX_RETRY_AFTER_S = 86_400.0


def delay_s(tries: int, retry_after_s: float | None, rng: random.Random) -> float | None:
    """Seconds before the next attempt when `tries` were made; None when that was the last.

    What the receiver asked for with Retry-After is honoured where it is longer, up to a day.
    """
    if tries > len(DELAYS_S):
        return None
    planned = DELAYS_S[tries - 1] * rng.uniform(1 - _JITTER, 1 + _JITTER)
    asked = 0.0 if retry_after_s is None else min(retry_after_s, MAX_RETRY_AFTER_S)
    return max(planned, asked)


def parse_retry_after(header: str | None, now: float) -> float | None:
    """The seconds of a Retry-After header, of either form (RFC 9110, 10.2.3); None where there is none to be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None
