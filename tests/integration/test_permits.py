"""Providers with limits, and more work than they allow: API, workers, Redis and sandbox."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.stack import Stack, chat, copy_configuration

pytestmark = pytest.mark.integration
GROQ, GEMINI, OTHER = "groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Three sandboxed providers, and `own`: a real account as the operator configured it, with a limit."""
    folder = tmp_path_factory.mktemp("permits") / "config"
    copy_configuration(folder)
    stack = Stack(environment={"MODEL_ROUTER_CONFIG": str(folder)})
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """Providers that behave, and limits nobody knows."""
    running.sandbox.reset()
    running.redis.client.delete("mr:permits", "mr:breakers")
    return running


def send(stack, count, **fields):
    """So many requests at once; their answers."""
    with ThreadPoolExecutor(300) as pool:
        return list(pool.map(lambda number: stack.post(chat(f"job {number}", **fields)), range(count)))


def refused(stack):
    return stack.sandbox.calls()["refused_429"]


@pytest.mark.alone("counts what a limit in real time refuses")
def test_overload_waits_for_its_window(stack):
    """More than a strict limit allows: all are answered, hardly one is refused, and what the provider has is used."""
    stack.sandbox.behave("groq", limits={"requests_per_minute": 600})
    answers = send(stack, 660, model=GROQ)
    assert [answer.status_code for answer in answers] == [200] * 660
    # Three of a hundred: this machine may be slow enough for calls to overtake each other by a second.
    assert refused(stack) <= 20
    waited = max(answer.json()["routing_metadata"]["queue_time"] for answer in answers)
    # 588 may go at once, 72 more take 7.3 s at 9.9 a second; a slow machine takes some of these to send.
    assert waited > 1_000
    assert stack.redis.client.keys("mr:parked*") == []


def test_limits_told_only_in_refusals_are_learnt_from_them(stack):
    """Gemini's quota: once it was met, calls keep to it."""
    stack.sandbox.behave("google-gemini", limits={"requests_per_minute": 60})
    assert {answer.status_code for answer in send(stack, 64, model=GEMINI)} == {200}
    # At most what was under way when the limit was met.
    assert 0 < refused(stack) <= 20


def test_who_has_room_gets_the_job_at_once(stack):
    """A full provider costs no attempt: the next candidate answers."""
    stack.sandbox.behave("groq", limits={"requests_per_minute": 2})
    assert stack.post(chat("one", model=GROQ)).status_code == 200
    answers = send(stack, 10, model=GROQ, models=[OTHER])
    assert {answer.status_code for answer in answers} == {200}
    shown = [answer.json()["routing_metadata"]["attempts"] for answer in answers]
    assert sum(attempts[-1]["provider"] == "hugging-face" for attempts in shown) >= 9
    assert refused(stack) == 0
    assert all(len(attempts) == 1 for attempts in shown)


def test_a_deadline_before_the_window_is_told_at_once(stack):
    """When the limit ends after the deadline the caller gets a 429 in OpenAI's form without waiting for either."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=3600)
    for _ in range(2):
        answer = stack.post(chat("no", model=GROQ, deadline_s=30), timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert refused(stack) == 1


def test_crowding_lowers_how_many_are_under_way(stack):
    """A provider that takes five at a time gets about five at a time, and everybody is answered."""
    stack.sandbox.behave("hugging-face", limits={"concurrency": 5}, latency_ms=50)
    answers = send(stack, 200, model=OTHER)
    assert {answer.status_code for answer in answers} == {200}
    assert refused(stack) < 150, "at most one burst of all that a worker may have under way, and few after it"


def test_the_operators_limit_is_a_ceiling(stack, tmp_path):
    """An account's configured limit is kept although the provider would take more."""
    folder = tmp_path / "config"
    copy_configuration(folder)
    endpoint = f"{stack.sandbox.url}/own/v1"
    row = {"type": "openai", "endpoint": endpoint, "api_key_env": "OWN_KEY", "limits": {"requests_per_minute": 120}}
    (folder / "providers.json").write_text(json.dumps({"own": row}))
    (folder / "models.json").write_text("{}")
    tenant = {"tenant_id": "default", "api_keys": ["ak-demo123"], "providers": {"enabled": ["own"]}}
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
    limited = Stack(("own",), environment={"MODEL_ROUTER_CONFIG": str(folder), "OWN_KEY": "any"})
    try:
        answers = send(limited, 123, model="own/any-model")
        assert {answer.status_code for answer in answers} == {200}
        assert max(answer.json()["routing_metadata"]["queue_time"] for answer in answers) > 1_500
    finally:
        limited.stop()
