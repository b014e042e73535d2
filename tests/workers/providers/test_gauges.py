"""Rate limits as vendors' answers tell them. What the sandbox sends is read in tests/integration/test_permits.py."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.permits import Gauge
from workers.providers.gauges import DAY_MS, HOUR_MS, MINUTE_MS, header_gauges, quota_gauges


def openai(limit, remaining, reset, what="requests"):
    return {
        f"x-ratelimit-limit-{what}": str(limit),
        f"x-ratelimit-remaining-{what}": str(remaining),
        f"x-ratelimit-reset-{what}": reset,
    }


def test_groqs_own_example():
    """Groq's documentation: requests by the day, tokens by the minute, in one answer."""
    headers = openai(14400, 14370, "2m59.56s") | openai(18000, 17997, "7.66ms", "tokens")
    assert header_gauges(headers) == (
        Gauge("rpd", 14400, 14370, DAY_MS),
        Gauge("tpm", 18000, 17997, MINUTE_MS),
    )


def test_openais_own_example():
    """OpenAI's documentation: both by the minute."""
    headers = openai(60, 59, "1s") | openai(150000, 149984, "6ms", "tokens")
    assert header_gauges(headers) == (Gauge("rpm", 60, 59, MINUTE_MS), Gauge("tpm", 150000, 149984, MINUTE_MS))


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "period_ms"),
    [
        # A bucket that is full again after the spent share of its period.
        (60, 30, "30s", MINUTE_MS),
        (1440, 1000, "7h20m0s", DAY_MS),
        (600, 0, "1h0m0s", HOUR_MS),
        # A window that ends within a minute says nothing of a day, however little is spent.
        (1000, 999, "59s", MINUTE_MS),
        (1000, 1000, "0s", MINUTE_MS),
        (1000, 10, "55m0s", HOUR_MS),
        (1000, 10, "23h0m0s", DAY_MS),
    ],
)
def test_the_period_is_told_by_the_reset(limit, remaining, reset, period_ms):
    """Of minute, hour and day the one that reset and spent share speak for, never shorter than the reset."""
    assert header_gauges(openai(limit, remaining, reset))[0].period_ms == period_ms


def test_anthropic_tells_four():
    """Requests, and tokens of prompts, of answers and of both, full again at a time of day."""
    headers = {"date": "Mon, 23 Nov 2026 10:00:00 GMT"}
    for what in ("requests", "tokens", "input-tokens", "output-tokens"):
        headers |= {
            f"anthropic-ratelimit-{what}-limit": "50",
            f"anthropic-ratelimit-{what}-remaining": "40",
            f"anthropic-ratelimit-{what}-reset": "2026-11-23T10:00:12Z",
        }
    assert [(gauge.name, gauge.remaining) for gauge in header_gauges(headers)] == [
        ("rpm", 40), ("tpm", 40), ("itpm", 40), ("otpm", 40)
    ]  # fmt: skip


def test_geminis_refusal_names_its_quota():
    """QuotaFailure: which limit is reached, by its id."""
    violations = [
        {
            "quotaMetric": "x/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerDay-F",
            "quotaValue": "50",
        },
        {
            "quotaMetric": "x/generate_content_free_tier_input_token_count",
            "quotaId": "PerMinute",
            "quotaValue": "250000",
        },
        {"quotaMetric": "x/other", "quotaId": "PerMinute"},
    ]
    body = {"error": {"details": [{"violations": violations}, {"retryDelay": "3s"}]}}
    assert quota_gauges(json.dumps(body).encode()) == (
        Gauge("rpd", 50, 0, DAY_MS),
        Gauge("itpm", 250000, 0, MINUTE_MS),
    )


_WORDS = st.sampled_from(["", "0", "1", "60", "-1", "1.5", "x", "9" * 20, "1m", "2026-11-23T10:00:12Z", "٣"])


@given(st.dictionaries(st.sampled_from(sorted(openai(1, 1, "1s") | openai(1, 1, "1s", "tokens"))), _WORDS))
def test_any_headers_are_read_or_passed_over(headers):
    """Nonsense in a header is no limit, and never an error."""
    for gauge in header_gauges(headers):
        assert 0 <= gauge.remaining <= gauge.limit
        assert gauge.limit >= 1


_NAMES = st.sampled_from(["error", "details", "violations", "quotaId", "quotaValue"])
_BODIES = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner))


@given(st.binary() | _BODIES.map(lambda value: json.dumps(value).encode()))
def test_any_refusal_is_read_or_passed_over(body):
    """So is nonsense in a body."""
    assert all(gauge.limit >= 1 for gauge in quota_gauges(body))
