"""How long a provider asks to be left alone, from its headers. Seconds, never negative."""

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Go's duration form, as Groq and OpenAI write it: "2m59.56s", "7.66s", "120ms", "1d2h".
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS_S = (86_400, 3600, 60, 1, 0.001)

# Remaining and reset headers of one window each, by vendor family.
_WINDOWS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `headers` (names in lower case): Retry-After first, then the windows that are used up.

    Retry-After is seconds or an HTTP date (RFC 9110, section 10.2.3); a date is read against the answer's own
    Date, so that clocks need not agree.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    stated = headers.get("retry-after", "")
    if stated:
        seconds = _number(stated)
        return seconds if seconds is not None else _until(_http_date(stated), headers)
    resets = [
        wait
        for remaining, reset in _WINDOWS
        if _number(headers.get(remaining, "")) == 0 and (wait := reset_s(headers.get(reset, ""), headers)) is not None
    ]
    return max(resets, default=None)


def duration_s(value: str) -> float | None:
    """Seconds of a duration such as "2m59.56s" (Groq, OpenAI) or "34.07s" (google.protobuf.Duration)."""
    found = _DURATION.fullmatch(value.strip())
    if found is None or not any(found.groups()):
        return None
    return sum(float(number) * unit for number, unit in zip(found.groups(), _UNITS_S, strict=True) if number)


def reset_s(value: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until a moment as a reset header tells it: a number, a duration, or a time (RFC 3339)."""
    seconds = _number(value)
    if seconds is None:
        seconds = duration_s(value)
    return seconds if seconds is not None else _until(_rfc3339(value), headers)


def _until(moment: datetime | None, headers: Mapping[str, str]) -> float | None:
    if moment is None:
        return None
    answered = _http_date(headers.get("date", ""))
    now = answered.timestamp() if answered else time.time()
    return max(0.0, moment.timestamp() - now)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rfc3339(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
