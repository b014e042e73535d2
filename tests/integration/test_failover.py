"""A provider that misbehaves costs the caller nothing but time, and the attempts tell the story."""

import pytest

from tests.support.stack import chat

pytestmark = pytest.mark.integration
ALIAS = "gpt-3.5-turbo"


def pinned(text: str, **fields):
    """A request whose first candidate is groq and whose second is another."""
    return chat(text, model="groq/openai/gpt-oss-20b", models=["hugging-face/openai/gpt-oss-20b"], **fields)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"fault": "status", "status": 503}, "provider_failed"),
        ({"fault": "status", "status": 500}, "provider_failed"),
        ({"fault": "status", "status": 401}, "provider_misconfigured"),
        ({"fault": "status", "status": 404}, "provider_misconfigured"),
        ({"fault": "status", "status": 429, "retry_after": 30}, "provider_rate_limited"),
        ({"fault": "reset"}, "provider_unreachable"),
        ({"fault": "malformed"}, "malformed_answer"),
        ({"fault": "cut"}, "provider_unreachable"),
    ],
    ids=lambda value: str(value.get("status") or value["fault"]) if isinstance(value, dict) else value,
)
def test_the_next_provider_answers(stack, fault, code):
    """Whatever one provider does, the caller gets the other's answer."""
    stack.sandbox.behave("groq", **fault)
    response = stack.post(pinned("Who answers?"))
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert [attempt["provider"] for attempt in attempts][-1] == "hugging-face"
    assert all(attempt["error"].startswith(code) for attempt in attempts[:-1])
    assert attempts[-1]["status"] == "completed"


def test_a_stalled_provider_is_left_in_time(stack):
    """A provider that never answers is given up at its time-out, and the job goes on elsewhere."""
    stack.sandbox.behave("google-gemini", fault="stall", stall_s=60)
    response = stack.post(
        chat("Anyone?", model="google-gemini/gemini-2.5-flash", models=["groq/openai/gpt-oss-20b"]),
        headers={"Authorization": "Bearer ak-impatient"},
    )
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert [attempt["provider"] for attempt in attempts] == ["google-gemini", "google-gemini", "groq"]
    assert attempts[0]["error"].startswith("provider_timeout")


def test_a_passing_fault_is_retried_in_place(stack):
    """One bad answer costs a retry, not a failover."""
    stack.sandbox.behave("groq", fault="status", status=503, times=1)
    attempts = stack.post(pinned("Again?")).json()["routing_metadata"]["attempts"]
    assert [(attempt["provider"], attempt["status"]) for attempt in attempts] == [
        ("groq", "failed"),
        ("groq", "completed"),
    ]


def test_all_providers_failing_is_502_with_the_story(stack):
    """When nobody can answer the caller is told who was tried; the job has ended."""
    stack.sandbox.behave("*", fault="status", status=500)
    response = stack.post(pinned("Anyone?"))
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "all_providers_failed"
    tried = [attempt["provider"] for attempt in response.json()["routing_metadata"]["attempts"]]
    assert set(tried) == {"groq", "hugging-face"}


def test_a_providers_401_is_never_the_callers(stack):
    """Our key being refused is our fault, and shows as such."""
    stack.sandbox.behave("*", fault="status", status=401)
    response = stack.post(chat("Mine?"))
    assert response.status_code == 502
    assert response.json()["error"]["type"] == "api_error"


def test_a_refused_request_is_400_and_not_tried_elsewhere(stack):
    """What one provider finds wrong with the request itself reaches the caller in the provider's words."""
    stack.sandbox.behave("groq", fault="status", status=400)
    response = stack.post(pinned("Bad."))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "provider_refused"
    assert len(response.json()["routing_metadata"]["attempts"]) == 1


def test_a_rate_limit_is_waited_for(stack):
    """With nobody else to ask, a 429 is waited out instead of passed on."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=1, times=1)
    response = stack.post(chat("In a moment."))
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["failed", "completed"]
    assert response.json()["routing_metadata"]["queue_time"] >= 0


def test_a_rate_limit_past_the_deadline_is_429(stack):
    """Only when the job's deadline comes first is the caller told of a limit."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=60)
    response = stack.post(chat("Now.", deadline_s=5))
    assert response.status_code == 429
    assert response.json()["error"]["code"] == "rate_limit_exceeded"


def test_what_a_dialect_cannot_say_goes_to_one_that_can(stack):
    """A request one dialect has no words for is handed over without a call."""
    body = chat("Twice.", model="groq/openai/gpt-oss-20b", models=["google-gemini/gemini-2.5-flash"], n=2)
    response = stack.post(body)
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert attempts[0]["error"].startswith("not_expressible")
    assert attempts[-1]["provider"] == "google-gemini"
    assert stack.sandbox.calls()["by_provider"].get("groq", 0) == 0
