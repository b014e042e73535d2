"""What the running product answers is what its document says, field by field."""

import jsonschema_rs
import pytest

from tests.support.conformance import Conformance
from tests.support.events import chunks, received
from tests.support.stack import chat, ended_object

pytestmark = pytest.mark.integration
EMBEDDING = {"model": "gemini-embedding-001", "input": ["one", "two"]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
MODELS = ("groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b")


@pytest.fixture
def conformance(stack):
    """Checks answers against the document that the product itself gives."""
    return Conformance(stack.get("/openapi.json").json())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fields", [{}, {"tools": [TOOL], "tool_choice": "required"}], ids=["text", "tools"])
def test_completions_are_as_documented(stack, conformance, model, fields):
    """Whole and streamed, of each dialect."""
    conformance.check(stack.post(chat(model=model, **fields)))
    with stack.post(chat(model=model, stream=True, **fields), stream=True) as response:
        conformance.check(response)
        for event in chunks(response):
            conformance.event(response, event.data)


def test_a_stream_that_breaks_off_is_as_documented(stack, conformance):
    """The error in the midst of a stream, too."""
    stack.sandbox.behave("*", fault="cut")
    with stack.post(chat("one two three four five six", stream=True), stream=True) as response:
        conformance.check(response)
        events = list(received(response))
        assert "error" in events[-1].data
        for event in events:
            conformance.event(response, event.data)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_are_as_documented(stack, conformance, encoding):
    """Numbers and base64."""
    response = stack.post({**EMBEDDING, "encoding_format": encoding}, path="/v1/embeddings")
    assert response.status_code == 200, response.text
    conformance.check(response)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/chat/completions", chat()), ("/v1/embeddings", EMBEDDING), ("/v1/chat/completions", chat(stream=True))],
    ids=["chat", "embeddings", "stream"],
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


def test_a_failed_job_is_as_documented(stack, conformance):
    """Every provider failed: the error, its job, and the answer to the same key again."""
    stack.sandbox.behave("*", fault="status", status=500)
    for replayed in (False, True):
        failed = stack.post(chat(), headers={"Idempotency-Key": "fails-as-documented"})
        assert (failed.status_code, "Idempotent-Replayed" in failed.headers) == (502, replayed)
        conformance.check(failed)
    conformance.check(stack.get(f"/v1/jobs/{failed.headers['X-Job-Id']}"))
    other = stack.post(chat("Another body."), headers={"Idempotency-Key": "fails-as-documented"})
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
        ("GET", "/livez", 200),
        ("GET", "/health", 200),
        ("GET", "/readyz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", "/v1/jobs/job_unknown", 404),
        ("GET", f"/v1/jobs/job_{'0' * 32}?wait=soon", 400),
        ("POST", "/v1/jobs/job_unknown/cancel", 404),
        ("POST", "/v1/chat/completions", 400),
        ("POST", "/v1/embeddings", 400),
        ("POST", "/v1/routing/plan", 400),
    ],
)
def test_the_other_routes_answer_as_documented(stack, conformance, method, path, status):
    """One by one."""
    response = stack.session.request(method, stack.api.url + path)
    assert response.status_code == status, response.text
    conformance.check(response)


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
    """401 of every route that the document says needs a key."""
    document = stack.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            url = stack.api.url + path.format(job_id="job_x", model="fast")
            response = stack.session.request(method, url, headers={"Authorization": "Bearer nobody"}, json={})
            assert (response.status_code == 401) == bool(operation["security"]), (method, path)
            conformance.check(response)


def test_what_the_document_does_not_tell_of_is_found(stack, conformance):
    """The check of these tests fails for a field too many and for one too few."""
    job = stack.post(chat(background=True)).json()
    schema = {"$ref": "#/components/schemas/Job"}
    conformance.matches(schema, job)
    for wrong in ({**job, "surprise": 1}, {name: value for name, value in job.items() if name != "plan"}):
        with pytest.raises(jsonschema_rs.ValidationError):
            conformance.matches(schema, wrong)
