"""Health is known without traffic: workers check accounts that nobody calls, and those whose breakers are open."""

import json
import time

import pytest

from tests.support.process_node import WorkerNode, wait_until
from tests.support.stack import Stack, chat, copy_configuration

pytestmark = pytest.mark.integration
GROQ, OTHER = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
INTERVAL_S = 1.0
# Once open, only a check can bring it back within a test.
BREAKERS = {"minimum_number_of_calls": 4, "wait_duration_in_open_state_s": 250}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two workers of groq and one of another, with a short interval between checks."""
    folder = tmp_path_factory.mktemp("checks") / "config"
    copy_configuration(folder)
    (folder / "policies" / "breaker.json").write_text(json.dumps(BREAKERS))
    (folder / "policies" / "retry.json").write_text('{"budget_reserve": 1000000}')
    environment = {"MODEL_ROUTER_CONFIG": str(folder), "HEALTH_CHECK_INTERVAL": str(int(INTERVAL_S * 1000))}
    stack = Stack(("groq", "hugging-face"), environment=environment)
    stack.workers["groq-2"] = WorkerNode(["--provider", "groq"], stack.environment, "groq-2")
    stack.workers["groq-2"].ready()
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The stack with a sandbox that behaves and nothing recorded but checks."""
    running.sandbox.reset()
    running.redis.client.delete("mr:breakers", "mr:health")
    status(running, "groq", "healthy")
    running.sandbox.reset()
    return running


def health(stack):
    return stack.get("/v1/health/providers").json()


def status(stack, provider, wanted):
    """Wait for a provider's status; its row."""
    rows = wait_until(
        lambda: [row for row in [health(stack)["providers"][provider]] if row["status"] == wanted],
        what=f"{provider} being {wanted}",
    )
    return rows[0]


def breaker(stack, wanted):
    """Wait for a state of groq's breaker; its row."""
    rows = wait_until(
        lambda: [
            row for row in [health(stack)["circuit_breakers"].get("groq")] if row is not None and row["state"] == wanted
        ],
        what=f"groq's breaker being {wanted}",
    )
    return rows[0]


def test_the_form(stack):
    """Every configured provider has the documented fields, whether it is called or not."""
    status(stack, "hugging-face", "healthy")
    shown = health(stack)
    assert shown.keys() == {"providers", "circuit_breakers"}
    fields = {"status", "uptime", "avg_latency", "consecutive_failures", "last_check", "error"}
    assert {frozenset(row) for row in shown["providers"].values()} == {frozenset(fields)}
    assert shown["providers"]["openai"] == {
        **dict.fromkeys(fields, None),
        "status": "disabled",
        "consecutive_failures": 0,
        "error": "disabled",
    }
    # No worker of it runs here.
    assert shown["providers"]["anthropic"]["status"] == "unknown"
    assert shown["providers"]["groq"]["uptime"] is None
    assert 0 <= time.time() - shown["providers"]["groq"]["last_check"] < 60


def test_down_and_back_without_traffic(stack):
    """A provider that dies is down at the next check and healthy after it is back; no model was called."""
    stack.sandbox.behave("groq", fault="reset")
    down = status(stack, "groq", "down")
    assert down["consecutive_failures"] >= 1
    assert "the connection failed" in down["error"]
    assert health(stack)["providers"]["hugging-face"]["status"] == "healthy"
    listed = stack.sandbox.calls()["listings"]["groq"]
    stack.sandbox.behave("groq")
    well = status(stack, "groq", "healthy")
    assert (well["consecutive_failures"], well["error"]) == (0, None)
    counts = stack.sandbox.calls()
    assert counts["listings"]["groq"] > listed
    assert counts["total"] == 0
    assert not list(stack.redis.client.scan_iter("mr:usage:*"))


def test_an_account_that_is_down_is_not_first_choice(stack):
    """A check that failed costs no caller an attempt, and the account stays a last resort."""
    stack.sandbox.behave("groq", fault="status", status=503)
    status(stack, "groq", "down")
    plan = stack.post(chat(model="gpt-3.5-turbo"), path="/v1/routing/plan").json()
    ranked = [candidate["provider"] for candidate in plan["candidates"]]
    assert ranked[-1] == "groq"
    assert len(ranked) == 3


def test_a_refused_key_is_told(stack):
    """A key that the vendor does not take is called misconfigured, and the log says what to do."""
    stack.sandbox.behave("groq", fault="status", status=401)
    row = status(stack, "groq", "misconfigured")
    assert "401" in row["error"]
    logs = stack.workers["groq"].logs() + stack.workers["groq-2"].logs()
    assert "provider.misconfigured" in logs
    assert "correct its key" in logs


def test_an_open_breaker_is_tried_again_after_a_good_check(stack):
    """A breaker that would be open for minutes lets a call through once a check was good, and calls close it."""
    stack.sandbox.behave("groq", fault="status", status=503)
    for _ in range(2):
        assert stack.post(chat("Who?", model=GROQ, models=[OTHER])).status_code == 200
    assert breaker(stack, "open")["next_attempt_time"] > time.time() + 100
    assert health(stack)["providers"]["groq"]["status"] == "down"
    before = stack.sandbox.calls()["by_provider"]["groq"]["total"]
    assert stack.post(chat("Now?", model=GROQ, deadline_s=20)).status_code == 502
    assert stack.sandbox.calls()["by_provider"]["groq"]["total"] == before
    stack.sandbox.behave("groq")
    wait_until(
        lambda: health(stack)["circuit_breakers"]["groq"]["next_attempt_time"] <= time.time(), what="the good check"
    )
    assert health(stack)["providers"]["groq"]["status"] == "degraded"
    for _ in range(2):
        assert stack.post(chat("And now?", model=GROQ, deadline_s=20)).status_code == 200
    breaker(stack, "closed")


def test_one_check_an_interval_whatever_the_processes(stack):
    """Two workers of one provider make no more checks than one would."""
    began = time.monotonic()
    wait_until(lambda: stack.sandbox.calls()["listings"].get("groq", 0) >= 4, what="four checks")
    listed = stack.sandbox.calls()["listings"]["groq"]
    assert listed <= (time.monotonic() - began) / INTERVAL_S + 2
