"""A completion's ways in and out, through every part."""

import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from tests.support.process_node import wait_until
from tests.support.stack import KEY, chat, ended_object

pytestmark = pytest.mark.integration


def test_a_post_waits_for_its_answer(stack):
    """The waiting POST is answered in OpenAI's form, with the story of its route."""
    response = stack.post(chat("Say hello."))
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["object"] == "chat.completion"
    assert "Say hello." in body["choices"][0]["message"]["content"]
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    told = body["routing_metadata"]
    assert told["primary_provider"] == "groq"
    assert told["tenant_id"] == "default"
    assert told["policy_used"] == "balanced"
    [attempt] = told["attempts"]
    assert (attempt["provider"], attempt["model"], attempt["status"]) == ("groq", "openai/gpt-oss-20b", "completed")
    assert told["total_processing_time"] >= told["api_processing_time"] > 0
    assert response.headers["X-Job-Id"] == told["job_id"]
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "model", ["groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b"]
)
def test_every_provider_answers_in_its_own_dialect(stack, model):
    """One request form reaches each vendor's wire format and comes back in OpenAI's."""
    body = stack.post(chat("Which model are you?", model)).json()
    assert body["routing_metadata"]["attempts"][0]["provider"] == model.partition("/")[0]
    assert "Which model are you?" in body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == "stop"


def test_an_alias_is_routed(stack):
    """A caller may ask for a name that stands for several deployments."""
    told = stack.post(chat(model="gpt-3.5-turbo")).json()["routing_metadata"]
    assert told["primary_provider"] in ("groq", "google-gemini", "hugging-face")


def test_tool_calls_come_through(stack):
    """A tool the request demands is called, whichever dialect says so."""
    tool = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for model in ("groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash"):
        choice = stack.post(chat("Weather?", model, tools=[tool], tool_choice="required")).json()["choices"][0]
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["tool_calls"][0]["function"]["name"] == "get_weather"


@pytest.mark.parametrize("asked", [{"json": {"background": True}}, {"headers": {"Prefer": "respond-async"}}])
def test_background_answers_with_the_job(stack, asked):
    """Asked not to wait, the API answers 202 with the job and where to find it."""
    response = stack.post(chat("Later.", **asked.get("json", {})), headers=asked.get("headers"))
    assert response.status_code == 202
    job = response.json()
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert job["object"] == "job"
    done = ended_object(stack, job["id"])
    assert done["status"] == "completed"
    assert "Later." in done["response"]["choices"][0]["message"]["content"]
    assert done["response"]["routing_metadata"]["job_id"] == job["id"]


def test_long_poll_answers_when_the_job_ends(stack):
    """`?wait=` comes back with the end, not with the time-out."""
    stack.sandbox.behave("groq", latency_ms=700)
    job = stack.post(chat(background=True)).json()
    began = time.monotonic()
    done = stack.get(f"/v1/jobs/{job['id']}?wait=20").json()
    assert done["status"] == "completed"
    assert time.monotonic() - began < 10


def test_long_poll_that_ends_first_shows_the_job_as_it_stands(stack):
    """A poll is never kept longer than it asked for."""
    stack.sandbox.behave("groq", latency_ms=3000)
    job = stack.post(chat(background=True)).json()
    assert stack.get(f"/v1/jobs/{job['id']}?wait=0.2").json()["status"] in ("queued", "in_progress")
    assert ended_object(stack, job["id"])["status"] == "completed"


def test_a_wait_that_ends_first_names_the_job_which_goes_on(stack):
    """The 504 of an ended wait loses nothing: the job is there, and its answer comes."""
    stack.sandbox.behave("groq", latency_ms=1500)
    response = stack.post(chat("Slow."), headers={"Prefer": "wait=0.3"})
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "wait_ended"
    job_id = response.headers["X-Job-Id"]
    assert job_id in response.json()["error"]["message"]
    assert ended_object(stack, job_id)["status"] == "completed"


def test_openais_client_does_not_repeat_what_goes_on(stack):
    """The official client retries a 504 by itself; the one of an ended wait must not become a second job."""
    stack.sandbox.behave("groq", latency_ms=1500)
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=2) as client:
        with pytest.raises(openai.APIStatusError) as ended:
            client.chat.completions.create(**chat("Slow."), extra_headers={"Prefer": "wait=0.3"})
        assert ended.value.response.headers["X-Should-Retry"] == "false"
    assert ended_object(stack, ended.value.response.headers["X-Job-Id"])["status"] == "completed"
    assert stack.sandbox.calls()["total"] == 1


def test_idempotency_key_attaches_to_the_running_job(stack):
    """A repeated POST waits for the first one's job, and a later one gets its stored answer: one call in all."""
    stack.sandbox.behave("groq", latency_ms=800)
    headers = {"Idempotency-Key": "order-1"}
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: stack.post(chat("Once."), headers=headers), range(2))
    third = stack.post(chat("Once."), headers=headers)
    assert first.json() == second.json() == third.json()
    assert third.headers["Idempotent-Replayed"] == "true"
    assert stack.sandbox.calls()["total"] == 1


def test_idempotency_key_attaches_across_processes(stack):
    """The key is known to every API process."""
    stack.sandbox.behave("groq", latency_ms=800)
    other = stack.another_api()
    try:
        headers = {"Idempotency-Key": "order-2"}
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda api: stack.post(chat("Once."), api=api, headers=headers), (None, other)))
        assert answers[0].json() == answers[1].json()
        assert stack.sandbox.calls()["total"] == 1
    finally:
        other.teardown()


def test_idempotency_key_with_another_body_is_409(stack):
    """A key belongs to one request."""
    headers = {"Idempotency-Key": "order-3"}
    stack.post(chat("One."), headers=headers)
    response = stack.post(chat("Two."), headers=headers)
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "idempotency_key_reused"


def test_cancel_ends_a_running_job_and_its_call(stack):
    """A cancelled job answers its waiter, and the provider sees the connection close."""
    stack.sandbox.behave("groq", latency_ms=20_000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stack.post, chat("Never mind."), headers={"Idempotency-Key": "cancelled"})
        wait_until(lambda: stack.sandbox.calls()["in_flight"] == 1, what="the call")
        job = stack.post(chat("Never mind."), headers={"Prefer": "wait=0", "Idempotency-Key": "cancelled"})
        job_id = job.headers["X-Job-Id"]
        cancelled = stack.post(path=f"/v1/jobs/{job_id}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        assert waiting.result(timeout=5).status_code == 409
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed connection")
    assert stack.post(path=f"/v1/jobs/{job_id}/cancel").status_code == 200, "cancelling twice is no error"


def test_a_finished_job_cannot_be_cancelled(stack):
    """The caller is told that it came too late."""
    job_id = stack.post(chat()).headers["X-Job-Id"]
    response = stack.post(path=f"/v1/jobs/{job_id}/cancel")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "job_not_cancellable")


def test_deadline_expires_a_job(stack):
    """A job that cannot be done in time ends as expired, with what was tried."""
    stack.sandbox.behave("*", fault="stall", stall_s=30)
    response = stack.post(chat(deadline_s=1.0))
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"
    assert response.json()["routing_metadata"]["attempts"][0]["error"].startswith("provider_timeout")


def test_models_lists_aliases_and_deployments(stack):
    """What can be asked for is listed in OpenAI's form; an unknown name is 404 with the nearest."""
    listed = {model["id"]: model for model in stack.get("/v1/models").json()["data"]}
    assert {"gpt-3.5-turbo", "groq/openai/gpt-oss-20b"} <= listed.keys()
    assert not any(name.startswith("anthropic/") for name in listed), "not among this tenant's providers"
    assert float(listed["groq/openai/gpt-oss-20b"]["pricing"]["completion"]) > 0
    assert stack.get("/v1/models/groq/openai/gpt-oss-20b").json()["id"] == "groq/openai/gpt-oss-20b"
    unknown = stack.get("/v1/models/gpt-3.5-turb")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert "gpt-3.5-turbo" in unknown.json()["error"]["message"]


def test_health_tells_of_redis_and_providers(stack):
    """The process says it is well, and recorded attempts show per provider."""
    stack.post(chat())
    health = stack.get("/health")
    assert (health.status_code, health.json()["status"], health.json()["sandbox"]) == (200, "ok", True)

    def recorded():
        groq = stack.get("/v1/health/providers").json()["providers"]["groq"]
        return groq if groq["avg_latency"] else None

    groq = wait_until(recorded, what="groq's health")
    assert (groq["status"], groq["uptime"], groq["consecutive_failures"]) == ("healthy", 1.0, 0)
    assert groq["last_check"] > 0
