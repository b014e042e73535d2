"""Claims about how long a provider asks to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.providers.retry_after import duration_s, retry_after_s

DATE = "Tue, 10 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2m59.56s", 179.56), ("7.66s", 7.66), ("120ms", 0.12), ("1h2m", 3720), ("34s", 34), ("1d", 86_400)],
)
def test_durations(value, seconds):
    """Groq's, OpenAI's and Google's durations are seconds."""
    assert duration_s(value) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["", "s", "soon", "-1s", "1s1m", "1.5m"])
def test_no_duration(value):
    """What is not a duration is None."""
    assert duration_s(value) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Tue, 10 Nov 2026 12:00:30 GMT", "date": DATE}, 30),
        ({"retry-after": "Tue, 10 Nov 2026 11:00:00 GMT", "date": DATE}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "7.66s"}, 7.66),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2m59.56s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "7.66s",
            },
            179.56,
        ),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-10T12:01:00Z",
                "date": DATE,
            },
            60,
        ),
    ],
)
def test_headers(headers, seconds):
    """Retry-After goes first, in either form; then the latest reset of a window that is used up."""
    assert retry_after_s(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": "nan"},
        {"retry-after": "soon"},
        {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1s"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "later"},
    ],
)
def test_no_hint(headers):
    """Without a hint that can be read there is none."""
    assert retry_after_s(headers) is None


@given(st.sampled_from(["retry-after", "retry-after-ms"]), st.text())
def test_any_header(name, value):
    """Whatever stands in the header, the wait is None or a number that is not negative."""
    seconds = retry_after_s({name: value, "date": value})
    assert seconds is None or seconds >= 0
