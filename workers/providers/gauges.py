"""Rate limits as vendors' answers tell them, in headers or in a refusal's body, as gauges.

Sources: platform.openai.com/docs/guides/rate-limits, console.groq.com/docs/rate-limits,
docs.anthropic.com/en/api/rate-limits, ai.google.dev/gemini-api/docs/rate-limits.
"""

import json
from collections.abc import Mapping
from math import log

from routing.permits import Gauge
from workers.providers.reader import mapping, objects, text
from workers.providers.retry_after import reset_s

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

# Names of the limit, what is left and when it is full again; {} is what is limited.
_OPENAI = ("x-ratelimit-limit-{}", "x-ratelimit-remaining-{}", "x-ratelimit-reset-{}")
_ANTHROPIC = (
    "anthropic-ratelimit-{}-limit",
    "anthropic-ratelimit-{}-remaining",
    "anthropic-ratelimit-{}-reset",
)
_HEADERS = tuple(
    (name, *(pattern.format(what) for pattern in patterns))
    for patterns, whats in (
        (_OPENAI, {"requests": "r", "tokens": "t"}),
        (_ANTHROPIC, {"requests": "r", "tokens": "t", "input-tokens": "it", "output-tokens": "ot"}),
    )
    for what, name in whats.items()
)


def header_gauges(headers: Mapping[str, str]) -> tuple[Gauge, ...]:
    """The gauges in `headers` (names in lower case) of OpenAI's form, which many speak, and of Anthropic's."""
    found = []
    for name, limit_header, remaining_header, reset_header in _HEADERS:
        if limit_header not in headers:
            continue
        limit, remaining = _whole(headers[limit_header]), _whole(headers.get(remaining_header, ""))
        if limit is None or remaining is None or limit < 1:
            continue
        period_ms = _period_ms(limit, remaining, reset_s(headers.get(reset_header, ""), headers))
        found.append(Gauge(_name(name, period_ms), limit, min(remaining, limit), period_ms))
    return tuple(found)


def quota_gauges(refusal: bytes) -> tuple[Gauge, ...]:
    """The gauges that the body of Gemini's refusal names: google.rpc.QuotaFailure, of which nothing is left."""
    try:
        body = json.loads(refusal)
    except (ValueError, RecursionError):
        return ()
    if isinstance(body, list) and body:
        body = body[0]
    found = []
    for detail in objects(mapping(mapping(body).get("error")).get("details")):
        for violation in objects(detail.get("violations")):
            limit, quota = _whole(text(violation.get("quotaValue"))), text(violation.get("quotaId"))
            if limit is None or limit < 1 or not quota:
                continue
            period_ms = DAY_MS if "PerDay" in quota else MINUTE_MS
            metric = text(violation.get("quotaMetric"))
            kind = "r" if "token" not in metric else "ot" if "output" in metric else "it"
            found.append(Gauge(_name(kind, period_ms), limit, 0, period_ms))
    return tuple(found)


def _name(kind: str, period_ms: int) -> str:
    return kind + ("pd" if period_ms == DAY_MS else "pm")


def _period_ms(limit: int, remaining: int, full_in_s: float | None) -> int:
    """Over how long a limit is spread, which headers do not say.

    A bucket that refills evenly is full again after the spent share of its period; a fixed window after at most its
    period. So the period is no shorter than the reset, and of minute, hour and day the one nearest to reset / share.
    """
    if full_in_s is None or full_in_s <= 60.0 or remaining >= limit:
        return MINUTE_MS
    guess_ms = full_in_s * 1000 * limit / (limit - remaining)
    periods = [period for period in (HOUR_MS, DAY_MS) if period >= full_in_s * 1000] or [DAY_MS]
    return min(periods, key=lambda period: abs(log(period / guess_ms)))


def _whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 15 else None
