"""Limits over the wire: real 429s with the vendors' headers and bodies."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from tests.sandbox.wire import CHAT_PATHS, chat

PROVIDERS = tuple(CHAT_PATHS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_call_over_the_limit_is_a_429(sandbox, provider):
    """The call after the last allowed one is refused and counted as such."""
    sandbox.behave(provider, limits={"requests_per_minute": 2})
    assert [chat(sandbox.url, provider).status for _ in range(3)] == [200, 200, 429]
    assert sandbox.calls()["refused_429"] == 1


def test_retry_after_is_honest(sandbox):
    """Coming back when told is let in."""
    sandbox.behave("groq", limits={"requests_per_minute": 60})
    refused = next(answer for answer in (chat(sandbox.url, "groq") for _ in range(100)) if answer.status == 429)
    wait_s = int(refused.headers["retry-after"])
    assert wait_s == 1
    due = time.monotonic() + wait_s
    while time.monotonic() < due:
        time.sleep(due - time.monotonic())
    assert chat(sandbox.url, "groq").status == 200


def test_groq_tells_the_day_and_the_minute(sandbox):
    """Groq's request headers speak of the day, its token headers of the minute, resets in Go's form."""
    sandbox.behave("groq", limits={"requests_per_day": 480, "tokens_per_minute": 6000})
    headers = chat(sandbox.url, "groq").headers
    assert headers["x-ratelimit-limit-requests"] == "480"
    assert headers["x-ratelimit-remaining-requests"] == "479"
    assert headers["x-ratelimit-reset-requests"] == "3m0s"
    assert headers["x-ratelimit-limit-tokens"] == "6000"
    assert int(headers["x-ratelimit-remaining-tokens"]) < 6000


def test_groq_429_names_the_limit(sandbox):
    """Groq's refusal has its type, code and words."""
    sandbox.behave("groq", limits={"tokens_per_minute": 5})
    chat(sandbox.url, "groq")
    error = chat(sandbox.url, "groq").json["error"]
    assert (error["type"], error["code"]) == ("tokens", "rate_limit_exceeded")
    assert "on tokens per minute (TPM): Limit 5, Used 5" in error["message"]


def test_anthropic_tells_limits_and_resets(sandbox):
    """Anthropic's headers have the rest, and the reset as a point in time."""
    sandbox.behave("anthropic", limits={"requests_per_minute": 1})
    chat(sandbox.url, "anthropic")
    answer = chat(sandbox.url, "anthropic")
    assert answer.json["error"]["type"] == "rate_limit_error"
    assert answer.headers["anthropic-ratelimit-requests-limit"] == "1"
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert 50 < int(answer.headers["retry-after"]) <= 60
    reset = datetime.fromisoformat(answer.headers["anthropic-ratelimit-requests-reset"])
    assert 50 < reset.timestamp() - time.time() < 62


def test_gemini_tells_quota_and_delay_in_the_details(sandbox):
    """Gemini's 429 has QuotaFailure and RetryInfo, and no header."""
    sandbox.behave("google-gemini", limits={"requests_per_minute": 1})
    chat(sandbox.url, "google-gemini")
    answer = chat(sandbox.url, "google-gemini")
    error = answer.json["error"]
    details = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert details["QuotaFailure"]["violations"][0]["quotaValue"] == "1"
    assert 50 < float(details["RetryInfo"]["retryDelay"].removesuffix("s")) <= 60
    assert "retry-after" not in answer.headers


def test_concurrency_refuses_the_call_too_many(sandbox):
    """Of three calls at once on two places, one is refused."""
    sandbox.behave("groq", limits={"concurrency": 2}, latency_ms=500)
    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(lambda _: chat(sandbox.url, "groq").status, range(3)))
    assert sorted(statuses) == [200, 200, 429]
    sandbox.behave("groq", limits={"concurrency": 1})
    assert chat(sandbox.url, "groq").status == 200


def test_without_limits_the_headers_are_there(sandbox):
    """Clients that read the header family find it, practically without end."""
    assert int(chat(sandbox.url, "openai").headers["x-ratelimit-remaining-requests"]) > 10_000_000
    assert int(chat(sandbox.url, "anthropic").headers["anthropic-ratelimit-requests-remaining"]) > 10_000_000
