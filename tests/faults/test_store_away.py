"""What is open and what is shut while Redis hangs or is gone: callers stay known, and nothing is spent uncounted."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = [pytest.mark.integration, pytest.mark.fault]
# The promise is two seconds; the machine of the tests may be busy with others.
ANSWERED_S = 8
# What needs the store, of each kind: work, reading, lists, streams, files, batches, webhooks.
NEEDS_STORE = (
    ("POST", "/v1/chat/completions", chat("x")),
    ("POST", "/v1/chat/completions", chat("x", stream=True)),
    ("POST", "/v1/chat/completions", chat("x", background=True)),
    ("POST", "/v1/embeddings", {"model": "gemini-embedding-001", "input": "x"}),
    ("POST", "/v1/responses", {"model": "groq/openai/gpt-oss-20b", "input": "x"}),
    ("GET", f"/v1/jobs/job_{'0' * 32}", None),
    ("GET", f"/v1/jobs/job_{'0' * 32}/stream", None),
    ("GET", "/v1/jobs", None),
    ("GET", "/v1/files", None),
    ("GET", "/v1/batches", None),
    ("GET", "/v1/webhooks/endpoints", None),
)
# What does not: it is answered from memory.
IN_MEMORY = (
    ("GET", "/livez", None, 200),
    ("GET", "/v1/models", None, 200),
    ("GET", "/v1/health/providers", None, 200),
    ("POST", "/v1/routing/plan", chat("x"), 200),
    ("GET", "/docs", None, 200),
    ("GET", "/health", None, 503),
    ("GET", "/readyz", None, 503),
)


def hang(stack):
    """Redis holds its connections and answers nothing."""
    os.kill(stack.redis.pid, signal.SIGSTOP)


def gone(stack):
    """Redis is killed: connections are refused."""
    stack.redis.kill()


def back(stack, away):
    """Redis as it was."""
    if away is hang:
        os.kill(stack.redis.pid, signal.SIGCONT)
    else:
        stack.redis.start()
        stack.redis.ready()


def ask(stack, method, path, body, key="ak-demo123"):
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {key}"}
        return session.request(method, stack.api.url + path, json=body, headers=headers, timeout=ANSWERED_S)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("away", [hang, gone])
def test_without_the_store_nobody_is_a_stranger_and_nothing_is_spent(start_stack, away):
    """503 with Retry-After for what needs it, never 401 for a good key or 200 for work; the rest is served."""
    stack = start_stack()
    allowed = limited(stack, requests_a_day=2)
    assert stack.post(chat("before")).status_code == 200
    calls = stack.sandbox.calls()["total"]
    away(stack)
    try:
        with ThreadPoolExecutor(len(NEEDS_STORE)) as pool:
            answers = list(pool.map(lambda row: ask(stack, *row), NEEDS_STORE))
        for (method, path, _), answer in zip(NEEDS_STORE, answers, strict=True):
            assert answer.status_code == 503, (method, path, answer.text)
            assert 0 < float(answer.headers["Retry-After"]) <= 120
            assert answer.json()["error"]["type"] == "service_unavailable_error"
        for method, path, body, status in IN_MEMORY:
            assert ask(stack, method, path, body).status_code == status, path
        # Who has no key is refused all the same: nothing is opened.
        assert ask(stack, "GET", "/v1/models", None, key="ak-nobody").status_code in (401, 503)
        assert stack.sandbox.calls()["total"] == calls
    finally:
        back(stack, away)
    wait_until(lambda: ask(stack, "GET", "/readyz", None).status_code == 200, what="its return")
    wait_until(lambda: served(stack), timeout_s=30, what="work")
    assert allowed()


def served(stack):
    return stack.post(chat("after")).status_code == 200


def limited(stack, requests_a_day):
    """Give a second tenant so many requests a day; what is returned tells whether no more than these are served."""
    file = Path(stack.environment["MODEL_ROUTER_CONFIG"]) / "tenants" / "limited.json"
    tenant = {
        "tenant_id": "limited",
        "api_keys": ["ak-limited"],
        "providers": {"enabled": ["groq"]},
        "quotas": {"daily_requests": requests_a_day},
    }
    file.write_text(json.dumps(tenant))
    wait_until(lambda: ask(stack, "GET", "/v1/models", None, "ak-limited").status_code == 200, what="the tenant")
    assert ask(stack, "POST", "/v1/chat/completions", chat("x"), "ak-limited").status_code == 200

    def kept():
        answers = [ask(stack, "POST", "/v1/chat/completions", chat("x"), "ak-limited") for _ in range(4)]
        return sum(answer.status_code == 200 for answer in answers) == requests_a_day - 1

    return kept
