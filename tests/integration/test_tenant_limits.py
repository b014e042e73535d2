"""Tenants' limits over HTTP: who is let through, what headers tell of it, and how a refusal looks."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import chat
from workers.providers.retry_after import duration_s

pytestmark = pytest.mark.integration

MODEL = "groq/openai/gpt-oss-20b"
SURFACES = {
    "/v1/chat/completions": chat(),
    "/v1/completions": {"model": MODEL, "prompt": "Say hello."},
    "/v1/messages": {**chat(), "max_tokens": 100},
    "/v1/responses": {"model": MODEL, "input": "Say hello."},
}
WAYS = {"whole": {}, "streamed": {"stream": True}, "background": {"background": True}}


@pytest.fixture
def ask(stack):
    """Sends a request as a tenant of whose limits nothing is used yet."""
    client = stack.redis.client

    def forget():
        for key in client.scan_iter("mr:limits:*"):
            client.delete(key)

    forget()
    yield lambda tenant, body, **options: stack.post(body, headers={"Authorization": f"Bearer ak-{tenant}"}, **options)
    wait_until(lambda: stack.jobs_left() == 0, what="the end of the jobs")
    forget()


def limits_of(response):
    """The headers about limits."""
    return {name.lower(): value for name, value in response.headers.items() if "ratelimit" in name.lower()}


@pytest.mark.parametrize("path", SURFACES)
@pytest.mark.parametrize("way", WAYS)
def test_every_answer_tells_how_the_limits_stand(stack, ask, path, way):
    """Whole, streamed or a job; the last is a refusal, in the same form, for which nothing is written."""
    conformance = Conformance(stack.get("/openapi.json").json())
    for remaining in (2, 1, 0):
        response = ask("metered", {**SURFACES[path], **WAYS[way]}, path=path)
        assert response.ok, response.text
        conformance.check(response)
        told = limits_of(response)
        assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("3", str(remaining))
        assert 60 < duration_s(told["x-ratelimit-reset-requests"]) <= 120
        assert (told["x-ratelimit-limit"], told["x-ratelimit-remaining"]) == ("3", str(remaining))
        assert 60 < int(told["x-ratelimit-reset"]) <= 120
        assert told["x-ratelimit-limit-tokens"] == "100000"
        assert 99_000 < int(told["x-ratelimit-remaining-tokens"]) < 100_000
        assert duration_s(told["x-ratelimit-reset-tokens"]) <= 120
    before = stack.job_count()
    refused = ask("metered", {**SURFACES[path], **WAYS[way]}, path=path)
    conformance.check(refused)
    assert (refused.status_code, stack.job_count()) == (429, before)
    assert limits_of(refused)["x-ratelimit-remaining-requests"] == "0"
    assert limits_of(refused).keys() == told.keys()
    assert 60 < int(refused.headers["Retry-After"]) <= 80
    error = refused.json()["error"]
    if path == "/v1/messages":
        assert (error["type"], error["details"]["error_code"]) == ("rate_limit_error", "rate_limit_exceeded")
    else:
        assert (error["type"], error["code"], error["param"]) == ("requests", "rate_limit_exceeded", None)
    assert "rate_limit_per_minute: 3 requests a minute are allowed, and 3 are used" in error["message"]


def test_who_is_not_counted_is_told_nothing(stack, ask):
    """Requests that are refused for themselves, other routes, repeats of a request, and tenants without limits."""
    assert not limits_of(ask("metered", chat(temperature=9)))
    assert not limits_of(ask("metered", chat(model="no-such")))
    assert not limits_of(ask("nobody", chat()))
    assert not limits_of(stack.post(chat()))
    assert not limits_of(stack.get("/v1/models"))
    key = {"Authorization": "Bearer ak-metered", "Idempotency-Key": "once"}
    first = stack.post(chat(), headers=key)
    for _ in range(3):
        again = stack.post(chat(), headers=key)
        assert (again.headers["X-Job-Id"], limits_of(again)) == (first.headers["X-Job-Id"], {})
    assert limits_of(ask("metered", chat()))["x-ratelimit-remaining-requests"] == "1"


def test_two_processes_let_through_exactly_the_limit(stack, ask):
    """Requests of one tenant to both at once: as many are taken as one minute may have."""
    second = stack.another_api()
    try:
        with ThreadPoolExecutor(16) as pool:
            requests = [
                pool.submit(ask, "hammered", chat(background=True), api=(stack.api, second)[number % 2])
                for number in range(160)
            ]
            answers = [request.result() for request in requests]
    finally:
        second.kill()
        second.teardown()
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(202), statuses.count(429)) == (100, 60)
    left = sorted(int(limits_of(answer)["x-ratelimit-remaining-requests"]) for answer in answers if answer.ok)
    assert left == list(range(100)), "each answer tells what was left after it"


def test_a_spent_quota_says_so(ask):
    """In OpenAI's words, and that it is no use to ask again at once."""
    assert ask("daily", chat()).ok
    refused = ask("daily", chat())
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (429, "insufficient_quota", "insufficient_quota")
    assert "daily_requests: 1 requests a day are allowed, and 1 are used" in error["message"]
    assert refused.headers["X-Should-Retry"] == "false"
    assert 0 < int(refused.headers["Retry-After"]) <= 120
    assert 0 < int(refused.headers["X-RateLimit-Reset"]) <= 86_400


def test_a_request_over_a_limit_of_tokens_is_never_taken(ask):
    """It is told how large it is, and not to come again."""
    refused = ask("daily", chat("word " * 6000))
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (429, "tokens", "rate_limit_exceeded")
    assert "daily_tokens: 5000 tokens a day are allowed, and this request is taken to need" in error["message"]
    assert refused.headers["X-Should-Retry"] == "false"
    assert "Retry-After" not in refused.headers


@pytest.mark.parametrize(("body", "param"), [(chat(max_tokens=6000), "max_tokens"), (chat("word " * 6000), None)])
def test_a_request_has_a_largest_size(ask, body, param):
    """400 that names the limit, and the field where it is that alone; such a request is not counted."""
    refused = ask("metered", body)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert error["message"].startswith("max_tokens_per_request: 5000 tokens are allowed")
    assert not limits_of(refused)


def test_one_job_at_a_time(stack, ask):
    """The next one is taken when the first has ended, whoever it is that ends it."""
    stack.sandbox.behave("groq", latency_ms=60_000)
    first = ask("narrow", chat(background=True)).json()["id"]
    refused = ask("narrow", chat())
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    stack.sandbox.reset()
    cancelled = stack.post(path=f"/v1/jobs/{first}/cancel", headers={"Authorization": "Bearer ak-narrow"})
    assert cancelled.ok
    assert ask("narrow", chat()).ok
    assert ask("narrow", chat()).ok
