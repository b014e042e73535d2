"""A provider that is down is left alone, and found again when it is back: API, workers, Redis and sandbox."""

import json

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat, copy_configuration, without_exploration

pytestmark = pytest.mark.integration
GROQ, OTHER = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
WAIT_S = 1.5
SETTINGS = {
    "minimum_number_of_calls": 4,
    "wait_duration_in_open_state_s": WAIT_S,
    "exponential_max_wait_duration_in_open_state_s": WAIT_S,
}
CARELESS = {
    "tenant_id": "careless",
    "api_keys": ["ak-careless"],
    "providers": {"enabled": ["groq"]},
    "features": {"circuit_breaker": False},
}

IMPATIENT = {**CARELESS, "tenant_id": "impatient", "api_keys": ["ak-impatient"], "features": {"timeout_ms": 200}}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two providers with breakers that open soon, and for a short time."""
    folder = tmp_path_factory.mktemp("breakers") / "config"
    copy_configuration(folder)
    (folder / "policies" / "breaker.json").write_text(json.dumps(SETTINGS))
    (folder / "policies" / "retry.json").write_text('{"budget_reserve": 1000000}')
    without_exploration(folder)
    for tenant in (CARELESS, IMPATIENT):
        (folder / "tenants" / f"{tenant['tenant_id']}.json").write_text(json.dumps(tenant))
    stack = Stack(("groq", "hugging-face"), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The stack with a sandbox that behaves and breakers that know nothing; the API has seen it."""
    running.sandbox.reset()
    running.redis.client.delete("mr:breakers", "mr:permits")
    seen(running, lambda breakers: breakers == {})
    return running


def seen(stack, condition):
    """Wait until the API's health page shows breakers of which `condition` holds; returns them."""
    return wait_until(
        lambda: [found for found in [stack.get("/v1/health/providers").json()["circuit_breakers"]] if condition(found)],
        what="the breakers' state",
    )[0]


def ask(stack, **fields):
    """A request that prefers groq and may go elsewhere; its attempts."""
    response = stack.post(chat("Who answers?", model=GROQ, models=[OTHER], **fields))
    assert response.status_code == 200, response.text
    return [(attempt["provider"], attempt["status"]) for attempt in response.json()["routing_metadata"]["attempts"]]


def calls(stack):
    """How many calls groq got."""
    return stack.sandbox.calls()["by_provider"].get("groq", {"total": 0})["total"]


def open_groq(stack):
    stack.sandbox.behave("groq", fault="status", status=503)
    for _ in range(2):
        assert ask(stack) == [("groq", "failed"), ("groq", "failed"), ("hugging-face", "completed")]


def test_a_black_out_costs_attempts_only_until_the_breaker_opens(stack):
    """After the failures that open it nobody calls the provider, planned or already under way to it."""
    open_groq(stack)
    before = calls(stack)
    # At once: the API's snapshot may still be the old one, and the claim decides.
    assert ask(stack) == [("hugging-face", "completed")]
    shown = seen(stack, lambda breakers: breakers.get("groq", {}).get("state") == "open")
    assert shown[GROQ]["failure_count"] == 4
    assert shown[GROQ]["next_attempt_time"] > 0
    assert shown[OTHER] == {"state": "closed", "failure_count": 0, "next_attempt_time": None}
    assert calls(stack) == before == 4
    assert "breaker.changed" in stack.workers["groq"].logs()


def test_recovery_closes_it(stack):
    """While the provider is down only probes reach it; once it is well a few probes close the breaker."""
    open_groq(stack)
    wait_until(lambda: ask(stack)[0][0] == "groq", what="a probe")
    assert calls(stack) <= 4 + 3
    stack.sandbox.behave("groq")
    wait_until(lambda: ask(stack) == [("groq", "completed")], what="the first good probe")
    wait_until(
        lambda: (
            ask(stack) and stack.get("/v1/health/providers").json()["circuit_breakers"]["groq"]["state"] == "closed"
        ),
        what="the closing",
    )
    assert ask(stack) == [("groq", "completed")]


def test_with_nobody_else_the_job_waits_for_the_breaker(stack):
    """A job that only an open deployment could serve is put off, not failed, and is answered after the recovery."""
    open_groq(stack)
    before = calls(stack)
    stack.sandbox.behave("groq")
    response = stack.post(chat("Patience.", model=GROQ))
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["completed"]
    assert calls(stack) == before + 1


def test_a_deadline_before_the_next_attempt_is_told_at_once(stack):
    """A job that cannot be tried before its deadline fails with the reason and without an attempt."""
    open_groq(stack)
    stack.redis.client.hset("mr:breakers", "groq", "open 9000000000000 9000000000000 1 1 - -")
    response = stack.post(chat("Now.", model=GROQ, deadline_s=20))
    assert response.status_code == 502, response.text
    assert response.json()["error"]["code"] == "all_providers_failed"
    assert "circuit breaker" in response.json()["error"]["message"]
    assert response.json()["routing_metadata"]["attempts"] == []


def test_a_careless_tenant_is_not_held_back(stack):
    """With `circuit_breaker: false` an open breaker is ignored, in the plan and at the claim."""
    open_groq(stack)
    stack.sandbox.behave("groq")
    stack.redis.client.hset("mr:breakers", "groq", "forced_open 1 0 0 0 - -")
    seen(stack, lambda breakers: breakers.get("groq", {}).get("state") == "forced_open")
    response = stack.post(chat("Now.", model=GROQ), headers={"Authorization": "Bearer ak-careless"})
    assert response.status_code == 200, response.text


def test_a_made_up_model_does_not_shut_its_provider(stack):
    """Calls for a model that does not exist open no breaker: each is told so at once, and nobody else is hurt."""
    stack.sandbox.behave("groq", fault="status", status=404)
    for _ in range(6):
        assert stack.post(chat("?", model="groq/no-such-model")).status_code == 502
    stack.sandbox.behave("groq")
    assert ask(stack) == [("groq", "completed")]
    assert stack.redis.client.hkeys("mr:breakers").count("groq/no-such-model") == 0


def test_an_impatient_tenant_shuts_nobody_out(stack):
    """Calls that a tenant's own time-out cuts short say nothing to a breaker."""
    stack.sandbox.behave("groq", latency_ms=2000)
    for _ in range(3):
        response = stack.post(chat("Now!", model=GROQ), headers={"Authorization": "Bearer ak-impatient"})
        assert response.status_code == 502, response.text
        assert "provider_timeout" in response.text
    assert stack.redis.client.hkeys("mr:breakers") == []


def test_only_configured_names_are_shown(stack):
    """What other callers made up is not told to anybody."""
    stack.redis.client.hset("mr:breakers", mapping={"groq/secret": "closed 1 0 0 0 - -", "groq": "closed 1 0 0 0 - -"})
    assert seen(stack, lambda breakers: "groq" in breakers).keys() == {"groq"}
