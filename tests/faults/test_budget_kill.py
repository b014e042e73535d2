"""kill -9 of a worker in the middle of a call: what was held of a budget for its jobs comes back."""

import json
from pathlib import Path

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
THRIFTY = {"Authorization": "Bearer ak-thrifty"}


def money(stack):
    """What is spent and held of the day's budget, micro-dollars."""
    kept = stack.redis.client.hget("mr:limits:tenant:thrifty", "used").split()
    return int(kept[8]), int(kept[9])


def test_what_a_killed_worker_held_comes_back(start_stack):
    """Of a job that nobody runs again, at its deadline; of one that another worker ends, with its answer."""
    stack = start_stack(providers=("groq", "google-gemini"))
    tenant = {"tenant_id": "thrifty", "api_keys": ["ak-thrifty"], "providers": {"enabled": ["groq"]}}
    file = Path(stack.environment["MODEL_ROUTER_CONFIG"]) / "tenants" / "thrifty.json"
    file.write_text(json.dumps({**tenant, "quotas": {"daily_usd": 0.0007}}))
    wait_until(lambda: stack.get("/v1/models", headers=THRIFTY).ok, what="the tenant")
    stack.sandbox.behave("groq", latency_ms=60_000)
    wanted = [chat(name, max_tokens=1000, background=True) for name in ("late", "soon")]
    late, soon = (
        stack.post({**body, "deadline_s": deadline_s}, headers=THRIFTY).json()["id"]
        for body, deadline_s in zip(wanted, (600, 9), strict=True)
    )
    assert stack.post(wanted[0], headers=THRIFTY).status_code == 429
    wait_until(lambda: stack.sandbox.calls()["in_flight"] == 2, what="both calls")
    spent, both = money(stack)
    stack.workers["groq"].kill()
    wait_until(lambda: stack.get(f"/v1/jobs/{soon}", headers=THRIFTY).json()["status"] == "expired", what="its end")
    assert (spent, money(stack)) == (0, (0, both // 2))
    stack.sandbox.reset()
    stack.workers["groq"].start()
    job = stack.get(f"/v1/jobs/{late}?wait=30", headers=THRIFTY).json()
    assert [attempt["status"] for attempt in job["attempts"]] == ["lost", "completed"]
    assert money(stack) == (job["attempts"][1]["cost_microusd"], 0)
