"""A call that takes longer than its provider's calls do is made a second time elsewhere, and one answer is taken."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.hedging import hedged_configuration, make_known, told
from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat

pytestmark = pytest.mark.integration
LONG_MS = 60_000


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two providers, of which the first is hedged without end."""
    folder = hedged_configuration(tmp_path_factory.mktemp("hedging") / "config")
    stack = Stack(("groq", "hugging-face"), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The running product with a sandbox that behaves, and a first provider that is known to be quick."""
    running.sandbox.reset()
    running.redis.client.delete("mr:permits")
    make_known(running)
    return running


def calls(stack, provider):
    return stack.sandbox.calls()["by_provider"].get(provider, {"total": 0, "in_flight": 0})


def attempts(response):
    assert response.status_code == 200, response.text
    return told(response.json()["routing_metadata"]["attempts"])


def test_a_slow_call_is_overtaken(stack):
    """The caller has the second provider's answer, the first call is closed, and both are on record."""
    stack.sandbox.behave("groq", latency_ms=LONG_MS)
    response = stack.post(chat("Hurry.", model="pair"))
    assert attempts(response) == [("groq", "cancelled", False), ("hugging-face", "completed", True)]
    assert "[sandbox hugging-face/" in response.json()["choices"][0]["message"]["content"]
    told_of = response.json()["routing_metadata"]
    assert told_of["primary_provider"] == "groq"
    first, second = told_of["attempts"]
    assert "cost_microusd" not in first
    assert second["started_at"] > first["started_at"]
    assert told_of["api_processing_time"] <= told_of["total_processing_time"]
    wait_until(lambda: calls(stack, "groq")["disconnected"] == 1, what="the end of the first call")
    assert (calls(stack, "groq")["total"], calls(stack, "hugging-face")["completed"]) == (1, 1)
    job = stack.get(f"/v1/jobs/{told_of['job_id']}").json()
    assert (job["status"], job["provider"]) == ("completed", "hugging-face")
    assert told(job["attempts"]) == told(told_of["attempts"])
    assert stack.jobs_left() == 0


def test_a_quick_call_is_not(stack):
    """A call that is as quick as usual is made once."""
    assert attempts(stack.post(chat("As ever.", model="pair"))) == [("groq", "completed", False)]
    assert calls(stack, "hugging-face")["total"] == 0


def test_the_first_may_still_win(stack):
    """A second call that is slower than the first is closed, and is no failure of its provider."""
    stack.sandbox.behave("groq", latency_ms=1500)
    stack.sandbox.behave("hugging-face", latency_ms=LONG_MS)
    assert attempts(stack.post(chat("Who?", model="pair"))) == [
        ("groq", "completed", False),
        ("hugging-face", "cancelled", True),
    ]
    wait_until(lambda: calls(stack, "hugging-face")["disconnected"] == 1, what="the end of the second call")


def test_when_the_first_fails_the_second_is_waited_for(stack):
    """A first call that breaks while the second is under way costs no retry."""
    stack.sandbox.behave("groq", fault="stall", stall_s=1.5)
    stack.sandbox.behave("hugging-face", latency_ms=3000)
    response = stack.post(chat("Wait.", model="pair"))
    assert attempts(response) == [("groq", "failed", False), ("hugging-face", "completed", True)]
    assert calls(stack, "groq")["total"] == 1


def test_when_the_second_fails_the_first_is_waited_for(stack):
    """A second call that fails changes nothing for the first."""
    stack.sandbox.behave("groq", latency_ms=1500)
    stack.sandbox.behave("hugging-face", fault="status", status=500)
    assert attempts(stack.post(chat("Wait.", model="pair"))) == [
        ("groq", "completed", False),
        ("hugging-face", "failed", True),
    ]


def test_when_both_fail_nobody_is_asked_the_same_again(stack):
    """After both have failed the first's error decides, and the job does not go to the second as if it were new."""
    stack.sandbox.behave("groq", fault="stall", stall_s=1.0)
    stack.sandbox.behave("hugging-face", fault="status", status=500)
    response = stack.post(chat("Anyone?", model="pair"))
    assert response.status_code == 502
    assert told(response.json()["routing_metadata"]["attempts"]) == [
        ("groq", "failed", False),
        ("hugging-face", "failed", True),
        ("groq", "failed", False),
    ]
    assert calls(stack, "hugging-face")["total"] == 1


def test_who_is_in_no_hurry_waits(stack):
    """A job of the flex tier is not hedged."""
    stack.sandbox.behave("groq", latency_ms=1500)
    response = stack.post(chat("Later.", model="pair", service_tier="flex"))
    assert attempts(response) == [("groq", "completed", False)]


def test_a_cancelled_job_closes_both(stack):
    """Cancelling a job ends the two calls it has under way."""
    stack.sandbox.behave("*", latency_ms=LONG_MS)
    job = stack.post(chat("Never mind.", model="pair", background=True)).json()["id"]
    wait_until(lambda: stack.sandbox.calls()["in_flight"] == 2, what="two calls under way")
    assert stack.post(path=f"/v1/jobs/{job}/cancel").json()["status"] == "cancelled"
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 2, what="the end of both calls")
    assert stack.sandbox.calls()["in_flight"] == 0


def test_a_deadline_ends_both(stack):
    """At its deadline a job has no call under way any more."""
    stack.sandbox.behave("*", latency_ms=LONG_MS)
    response = stack.post(chat("Now or never.", model="pair", deadline_s=2))
    assert response.status_code == 504
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 2, what="the end of both calls")


def test_both_answers_lessons_are_kept(stack):
    """A second call that met a rate limit tells the ledger of it, though the first answered."""
    stack.sandbox.behave("groq", latency_ms=1500)
    stack.sandbox.behave("hugging-face", fault="status", status=429, retry_after=600)
    assert attempts(stack.post(chat("Full?", model="pair")))[1] == ("hugging-face", "failed", True)
    assert attempts(stack.post(chat("Full!", model="pair"))) == [("groq", "completed", False)], "no permit, no hedge"
    assert calls(stack, "hugging-face")["total"] == 1


def test_hedges_are_bounded_in_number(tmp_path):
    """With a budget of three extra calls, three of twenty slow calls are hedged, and all are answered."""
    folder = hedged_configuration(tmp_path / "config", reserve=3)
    settings = '{"budget_percent": 0, "budget_reserve": 3, "budget_window_s": 600}'
    (folder / "policies" / "retry.json").write_text(settings)
    stack = Stack(("groq", "hugging-face"), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    try:
        make_known(stack)
        stack.sandbox.behave("groq", latency_ms=2000)
        with ThreadPoolExecutor(20) as clients:
            answers = list(clients.map(stack.post, [chat(f"Slow {n}", model="pair") for n in range(20)]))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert calls(stack, "hugging-face")["total"] == 3
    finally:
        stack.stop()
