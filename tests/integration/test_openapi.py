"""What the running product answers is what its document says, field by field."""

import json
import re

import jsonschema_rs
import pytest

from tests.support.conformance import Conformance
from tests.support.events import received
from tests.support.stack import chat, ended_object

pytestmark = pytest.mark.integration
EMBEDDING = {"model": "gemini-embedding-001", "input": ["one", "two"]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
MODELS = ("groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b")


@pytest.fixture
def conformance(stack):
    """Checks answers against the document that the product itself gives."""
    return Conformance(stack.get("/openapi.json").json())


def messages(text="Say hello.", model=MODELS[0], **fields):
    """The same request in Anthropic's form; tools are turned, too."""
    if fields.pop("tools", None):
        fields |= {"tools": [{"name": "look", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}}
    return {**chat(text, model, **fields), "max_tokens": 100}


def legacy(text="Say hello.", model=MODELS[0], **fields):
    """The same request as a legacy completion, which has no tools."""
    fields = {name: value for name, value in fields.items() if not name.startswith("tool")}
    return {"model": model, "prompt": text, "echo": True, **fields}


def responses(text="Say hello.", model=MODELS[0], **fields):
    """The same request in the form of the Responses API."""
    if fields.get("tools"):
        fields["tools"] = [{"type": "function", **TOOL["function"]}]
    return {"model": model, "input": text, **fields}


SURFACES = {
    "/v1/chat/completions": chat,
    "/v1/completions": legacy,
    "/v1/messages": messages,
    "/v1/responses": responses,
}
# What tells thoughts there; a legacy completion has no place for them.
THOUGHTS = {
    "/v1/chat/completions": "reasoning_content",
    "/v1/completions": "text_completion",
    "/v1/messages": '"type": "thinking"',
    "/v1/responses": "summary_text",
}
DEMANDS = {
    "text": {},
    "tools": {"tools": [TOOL], "tool_choice": "required"},
    "cut": {"max_tokens": 3, "max_output_tokens": 3},
}


def demand(path, name, model):
    """A body of the surface at `path`."""
    fields = DEMANDS[name]
    unknown = "max_output_tokens" if path != "/v1/responses" else "max_tokens"
    return SURFACES[path](model=model, **{name: value for name, value in fields.items() if name != unknown})


def events(response):
    """The events of a stream, without the [DONE] of those that have one."""
    return [event for event in received(response) if event.data != "[DONE]"]


@pytest.mark.parametrize("path", SURFACES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", DEMANDS)
def test_answers_are_as_documented(stack, conformance, path, model, name):
    """Whole and streamed, of each surface and dialect."""
    both(stack, conformance, path, demand(path, name, model))


def both(stack, conformance, path, body):
    """Asks in one piece and as a stream, checks all of it, and gives the answer and the events."""
    whole = stack.post(body, path=path)
    assert whole.status_code == 200, whole.text
    conformance.check(whole)
    with stack.post({**body, "stream": True}, path=path, stream=True) as response:
        conformance.check(response)
        told = events(response)
        assert len(told) > 1
        for event in told:
            conformance.event(response, event.data)
    return whole.text, json.dumps([event.data for event in told])


@pytest.mark.parametrize("path", SURFACES)
@pytest.mark.parametrize("model", MODELS[1:])
def test_thoughts_and_refusals_are_as_documented(stack, conformance, path, model):
    """What a model thinks, and words of one that will not answer, where its vendor and the surface tell them."""
    stack.sandbox.behave("*", reasoning="Let me think.")
    for told in both(stack, conformance, path, SURFACES[path](model=model)):
        assert THOUGHTS[path] in told
    stack.sandbox.behave("*", refusal="I cannot.")
    both(stack, conformance, path, SURFACES[path](model=model))


@pytest.mark.parametrize("model", MODELS[1:])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {"logprobs": True, "top_logprobs": 2}),
        ("/v1/completions", {"logprobs": 2}),
        ("/v1/responses", {"top_logprobs": 2}),
    ],
    ids=["chat", "legacy", "responses"],
)
def test_log_probabilities_are_as_documented(stack, conformance, path, model, fields):
    """Those of tokens, in each surface's form."""
    for told in both(stack, conformance, path, SURFACES[path](model=model, **fields)):
        assert "logprob" in told


@pytest.mark.parametrize("path", SURFACES)
def test_a_stream_that_breaks_off_is_as_documented(stack, conformance, path):
    """The error in the midst of a stream, too, told at once and again."""
    stack.sandbox.behave("*", fault="cut")
    body = SURFACES[path]("one two three four five six", stream=True)
    with stack.post(body, path=path, stream=True) as response:
        conformance.check(response)
        told = events(response)
    assert any("error" in (event.name, *event.data) for event in told)
    again = stack.get(f"/v1/jobs/{response.headers['X-Job-Id']}/stream")
    conformance.check(again)
    assert events(again) == told
    for event in told:
        conformance.event(response, event.data)
        conformance.event(again, event.data)


def test_responses_that_are_kept_are_as_documented(stack, conformance):
    """In the background, retrieved, gone on from, listed, followed, cancelled and forgotten; the job behind, too."""
    path = "/v1/responses"
    queued = stack.post(responses(background=True, metadata={"k": "v"}), path=path)
    conformance.check(queued)
    assert queued.status_code == 200
    kept, job_id = queued.headers["Location"], queued.headers["X-Job-Id"]
    assert ended_object(stack, job_id)["status"] == "completed"
    identifier = queued.json()["id"]
    after = stack.post(responses("And?", previous_response_id=identifier, stream=True), path=path)
    conformance.check(after)
    followed = f"{path}/{events(after)[0].data['response']['id']}"
    for url in (kept, f"/v1/jobs/{job_id}", f"{kept}/input_items", f"{followed}/input_items?limit=1&order=asc"):
        shown = stack.get(url)
        assert shown.status_code == 200, shown.text
        conformance.check(shown)
    again = stack.get(f"{followed}?stream=true&starting_after=2")
    conformance.check(again)
    for event in events(again):
        conformance.event(again, event.data)
    cancelled = stack.post(path=f"{kept}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "completed")
    conformance.check(cancelled)
    deleted = stack.session.delete(stack.api.url + kept)
    assert deleted.status_code == 200
    conformance.check(deleted)
    conformance.check(stack.get(kept))


def test_responses_without_an_answer_are_as_documented(stack, conformance):
    """One that failed and one that was cancelled."""
    stack.sandbox.behave("*", fault="status", status=500)
    failed = stack.post(responses(background=True), path="/v1/responses").headers
    ended_object(stack, failed["X-Job-Id"])
    stack.sandbox.behave("*", latency_ms=20_000)
    cancelled = stack.post(responses(background=True), path="/v1/responses").headers
    conformance.check(stack.post(path=f"{cancelled['Location']}/cancel"))
    for headers, status in ((failed, "failed"), (cancelled, "cancelled")):
        shown = stack.get(headers["Location"])
        assert shown.json()["status"] == status
        conformance.check(shown)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_are_as_documented(stack, conformance, encoding):
    """Numbers and base64."""
    response = stack.post({**EMBEDDING, "encoding_format": encoding}, path="/v1/embeddings")
    assert response.status_code == 200, response.text
    conformance.check(response)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *((path, surface()) for path, surface in SURFACES.items() if path != "/v1/responses"),
        ("/v1/embeddings", EMBEDDING),
        ("/v1/chat/completions", chat(stream=True)),
    ],
    ids=["chat", "legacy", "messages", "embeddings", "stream"],
)
def test_jobs_are_as_documented(stack, conformance, path, body):
    """Accepted in the background, looked at, and followed."""
    accepted = stack.post({**body, "background": True}, path=path)
    assert accepted.status_code == 202
    conformance.check(accepted)
    job_id = accepted.json()["id"]
    assert ended_object(stack, job_id)["status"] == "completed"
    conformance.check(stack.get(f"/v1/jobs/{job_id}"))
    late = stack.post(path=f"/v1/jobs/{job_id}/cancel")
    assert late.status_code == 409
    conformance.check(late)
    followed = stack.get(f"/v1/jobs/{job_id}/stream")
    assert followed.status_code == (200 if body.get("stream") else 400)
    conformance.check(followed)


def test_a_cancelled_job_is_as_documented(stack, conformance):
    """The cancellation's answer, and what the waiting caller is told."""
    stack.sandbox.behave("*", latency_ms=20_000)
    waiting = stack.post(chat(), headers={"Prefer": "wait=0.1"})
    assert waiting.status_code == 504
    conformance.check(waiting)
    cancelled = stack.post(path=f"{waiting.headers['Location']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    conformance.check(cancelled)


@pytest.mark.parametrize("path", SURFACES)
def test_a_failed_job_is_as_documented(stack, conformance, path):
    """Every provider failed: the error, its job, and the answer to the same key again."""
    stack.sandbox.behave("*", fault="status", status=500)
    key = {"Idempotency-Key": f"fails-as-documented{path}"}
    for replayed in (False, True):
        failed = stack.post(SURFACES[path](), path=path, headers=key)
        assert (failed.status_code, "Idempotent-Replayed" in failed.headers) == (502, replayed)
        conformance.check(failed)
    conformance.check(stack.get(f"/v1/jobs/{failed.headers['X-Job-Id']}"))
    other = stack.post(SURFACES[path]("Another body."), path=path, headers=key)
    assert other.status_code == 409
    conformance.check(other)


def test_a_replayed_answer_is_as_documented(stack, conformance):
    """The stored answer is sent with one header more."""
    for replayed in (False, True):
        response = stack.post(chat(), headers={"Idempotency-Key": "works-as-documented"})
        assert ("Idempotent-Replayed" in response.headers) == replayed
        conformance.check(response)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models/fast", 200),
        ("GET", "/v1/models/groq/openai/gpt-oss-20b", 200),
        ("GET", "/v1/models/nothing", 404),
        ("GET", "/v1/health/providers", 200),
        ("GET", "/v1/webhooks/secret", 200),
        ("POST", "/v1/webhooks/secret/rotate", 200),
        ("GET", "/v1/webhooks/endpoints", 200),
        ("POST", "/v1/webhooks/endpoints", 400),
        ("GET", "/v1/webhooks/endpoints/we_unknown", 404),
        ("DELETE", "/v1/webhooks/endpoints/we_unknown", 404),
        ("GET", "/v1/webhooks/endpoints/we_unknown/secret", 404),
        ("POST", "/v1/webhooks/endpoints/we_unknown/rotate", 404),
        ("POST", "/v1/webhooks/endpoints/we_unknown/test", 404),
        ("GET", "/v1/webhooks/deliveries", 200),
        ("GET", "/v1/webhooks/deliveries?status=lost", 400),
        ("GET", "/v1/webhooks/deliveries?event=job.lost", 400),
        ("GET", "/v1/webhooks/deliveries?after=dlv_unknown", 400),
        ("GET", "/v1/webhooks/deliveries?limit=0", 400),
        ("GET", "/v1/webhooks/deliveries/dlv_unknown", 404),
        ("POST", "/v1/webhooks/deliveries/dlv_unknown/redeliver", 404),
        ("POST", "/v1/webhooks/replay", 400),
        ("GET", "/livez", 200),
        ("GET", "/health", 200),
        ("GET", "/readyz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", "/v1/jobs/job_unknown", 404),
        ("GET", f"/v1/jobs/job_{'0' * 32}?wait=soon", 400),
        ("POST", "/v1/jobs/job_unknown/cancel", 404),
        ("POST", "/v1/chat/completions", 400),
        ("POST", "/v1/completions", 400),
        ("POST", "/v1/messages", 400),
        ("POST", "/v1/messages/count_tokens", 400),
        ("POST", "/v1/responses", 400),
        ("GET", "/v1/responses/resp_unknown", 404),
        ("GET", "/v1/responses/resp_unknown?stream=maybe", 400),
        ("GET", "/v1/responses/resp_unknown?starting_after=soon", 400),
        ("GET", "/v1/responses/resp_unknown/input_items", 404),
        ("GET", "/v1/responses/resp_unknown/input_items?limit=0", 400),
        ("POST", "/v1/responses/resp_unknown/cancel", 404),
        ("DELETE", "/v1/responses/resp_unknown", 404),
        ("POST", "/v1/embeddings", 400),
        ("POST", "/v1/routing/plan", 400),
    ],
)
def test_the_other_routes_answer_as_documented(stack, conformance, method, path, status):
    """One by one."""
    response = stack.session.request(method, stack.api.url + path)
    assert response.status_code == status, response.text
    conformance.check(response)


def test_a_count_of_tokens_is_as_documented(stack, conformance):
    """The estimate."""
    counted = stack.post(messages(), path="/v1/messages/count_tokens")
    assert counted.status_code == 200, counted.text
    conformance.check(counted)


@pytest.mark.parametrize(
    ("surface", "body"),
    [("chat", chat(model="gpt-3.5-turbo", provider={"ignore": ["groq"]})), ("embeddings", EMBEDDING)],
)
def test_plans_are_as_documented(stack, conformance, surface, body):
    """Candidates with their estimates, and who was left out."""
    response = stack.post(body, path=f"/v1/routing/plan?surface={surface}")
    assert response.status_code == 200, response.text
    conformance.check(response)


def test_routes_with_a_key_refuse_as_documented(stack, conformance):
    """401 of every route that the document says needs a key, 403 where that is the admin key."""
    document = stack.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            url = stack.api.url + re.sub(r"{\w+}", "x", path)
            response = stack.session.request(method, url, headers={"Authorization": "Bearer nobody"}, json={})
            # A key that is nobody's is not the admin's either.
            refusal = 403 if path.startswith("/admin/") else 401
            assert (response.status_code == refusal) == bool(operation["security"]), (method, path)
            conformance.check(response)


def test_what_the_document_does_not_tell_of_is_found(stack, conformance):
    """The check of these tests fails for a field too many and for one too few."""
    job = stack.post(chat(background=True)).json()
    schema = {"$ref": "#/components/schemas/Job"}
    conformance.matches(schema, job)
    for wrong in ({**job, "surprise": 1}, {name: value for name, value in job.items() if name != "plan"}):
        with pytest.raises(jsonschema_rs.ValidationError):
            conformance.matches(schema, wrong)
