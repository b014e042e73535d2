"""POST /v1/messages on the running product: Anthropic's dialect in, any provider underneath."""

import pytest

from tests.support.process_node import free_port
from tests.support.stack import ApiNode, ended_object

pytestmark = pytest.mark.integration
PATH = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
HEADERS = {"Authorization": "", "X-Api-Key": "ak-demo123", "anthropic-version": "2023-06-01", "anthropic-beta": "x"}
MODEL = "groq/openai/gpt-oss-20b"
TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}


def asking(content="Say hello.", model=MODEL, **fields):
    """A Messages request of one user turn."""
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **fields}


def turn(*blocks, role="user"):
    """A request with one turn of these blocks."""
    return asking() | {"messages": [{"role": role, "content": list(blocks)}]}


def post(stack, body=None, *, path=PATH, headers=None, **options):
    return stack.post(body, path=path, headers={**HEADERS, **(headers or {})}, **options)


def check_error(response, status, kind):
    """Anthropic's form, with the request's id in the body and in both headers."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["error"]["message"]
    assert body["request_id"] == response.headers["x-request-id"]
    return body


@pytest.fixture
def unchanged(stack):
    """No job may appear during the test."""
    before = stack.job_count()
    yield stack
    assert stack.job_count() == before
    assert stack.sandbox.calls()["total"] == 0


def test_a_message_is_answered_with_its_route(stack):
    """A Message with Anthropic's headers, and how its job was routed beside it; the job shows it."""
    response = post(stack, asking(system="Be brief."), headers={"X-Request-Id": "mine-1"})
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["type"] == "message"
    assert body["content"][0]["text"].endswith("You said: Say hello.")
    assert (body["stop_reason"], body["stop_details"]) == ("end_turn", None)
    assert body["usage"]["input_tokens"] > 0
    assert body["routing_metadata"]["attempts"][0]["provider"] == "groq"
    assert response.headers["request-id"] == response.headers["x-request-id"] == "mine-1"
    job = stack.get(f"/v1/jobs/{response.headers['X-Job-Id']}").json()
    assert job["response"] == body
    assert body["id"] == job["id"].replace("job_", "msg_")


@pytest.mark.parametrize("model", [MODEL, "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b"], ids=str)
def test_a_tool_loop_goes_round_at_every_provider(stack, model):
    """A tool is used, its result understood, whoever answers."""
    first = post(stack, asking("use get_weather", model, tools=[TOOL], tool_choice={"type": "any"})).json()
    [use] = first["content"]
    assert (first["stop_reason"], use["type"], use["name"]) == ("tool_use", "tool_use", "get_weather")
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": [{"type": "text", "text": "sunny"}]}
    turns = [
        {"role": "user", "content": "use get_weather"},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result]},
    ]
    second = post(stack, asking(model=model, tools=[TOOL]) | {"messages": turns}).json()
    assert "sunny" in second["content"][0]["text"]


def test_a_failover_is_not_seen(stack):
    """A provider that fails is left for the next; the Message is whole."""
    stack.sandbox.behave("groq", fault="status", status=500)
    body = post(stack, asking(model=MODEL, models=["google-gemini/gemini-2.5-flash"])).json()
    assert body["content"][0]["text"].startswith("[sandbox google-gemini/")
    assert {attempt["provider"] for attempt in body["routing_metadata"]["attempts"]} == {"groq", "google-gemini"}


def test_the_routers_options_are_taken(stack):
    """In the background a Message is a job; a repeated key re-attaches; a key of another surface is another request."""
    accepted = post(stack, asking(background=True))
    assert (accepted.status_code, accepted.json()["object"]) == (202, "job")
    assert ended_object(stack, accepted.json()["id"])["response"]["type"] == "message"
    key = {"Idempotency-Key": "message-1"}
    first, again = (post(stack, asking("Once."), headers=key) for _ in range(2))
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    check_error(post(stack, asking("Twice."), headers=key), 409, "conflict_error")


def test_how_a_job_failed_is_told_in_anthropics_form(stack):
    """Errors of the job itself, at once and replayed, with the route and Anthropic's type for the status."""
    stack.sandbox.behave("*", fault="status", status=500)
    key = {"Idempotency-Key": "message-fails"}
    first = check_error(post(stack, asking(), headers=key), 502, "api_error")
    assert first["error"]["details"] == {"error_code": "all_providers_failed"}
    assert first["routing_metadata"]["attempts"]
    again = check_error(post(stack, asking(), headers=key), 502, "api_error")
    assert again["error"] == first["error"]
    stack.sandbox.behave("*", fault="stall", stall_s=30)
    check_error(post(stack, asking(deadline_s=1.0)), 504, "timeout_error")


def test_a_wait_that_ends_is_a_timeout(stack):
    """A caller that does not wait long enough is told where its job is."""
    stack.sandbox.behave("groq", latency_ms=1500)
    response = post(stack, asking(), headers={"Prefer": "wait=0"})
    check_error(response, 504, "timeout_error")
    assert response.headers["Location"] == f"/v1/jobs/{response.headers['X-Job-Id']}"
    assert ended_object(stack, response.headers["X-Job-Id"])["status"] == "completed"


def test_tokens_are_counted_without_a_job(unchanged):
    """The router's estimate, for a body without max_tokens; more words are more tokens."""
    body = asking("x" * 4000, system="Be brief.")
    del body["max_tokens"]
    few, many = (post(unchanged, {**body, **more}, path=COUNT) for more in ({}, {"system": "Be brief. " * 100}))
    assert few.status_code == 200, few.text
    assert few.json().keys() == {"input_tokens"}
    assert 1000 <= few.json()["input_tokens"] < many.json()["input_tokens"]
    check_error(post(unchanged, {**body, "model": "no-such-model"}, path=COUNT), 404, "not_found_error")


@pytest.mark.parametrize("path", [PATH, COUNT])
def test_errors_before_a_job_are_anthropics(unchanged, path):
    """No key, no JSON, no such model, a wrong method, a body too large: Anthropic's form and types."""
    check_error(post(unchanged, asking(), path=path, headers={"X-Api-Key": "wrong"}), 401, "authentication_error")
    check_error(post(unchanged, path=path, data=b"{"), 400, "invalid_request_error")
    check_error(post(unchanged, asking(model="gpt-3.5-turb"), path=path), 404, "not_found_error")
    check_error(unchanged.get(path, headers=HEADERS), 405, "invalid_request_error")
    check_error(post(unchanged, asking("x" * (21 * 1024 * 1024)), path=path), 413, "request_too_large")
    check_error(post(unchanged, asking(), path=f"{PATH}/batches"), 404, "not_found_error")


def test_a_store_that_is_away_is_overloaded(stack):
    """Without Redis nothing is accepted: a 503 that Anthropic's clients try again."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    lonely = ApiNode({**stack.environment, "REDIS_URL": nowhere, "PORT": str(free_port())}, "api-lonely")
    try:
        lonely.ready()
        response = post(stack, asking(), api=lonely)
    finally:
        lonely.kill()
        lonely.teardown()
    check_error(response, 503, "overloaded_error")
    assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        (asking(model=5), "model"),
        (asking() | {"model": None}, "model"),
        (asking() | {"max_tokens": None}, "max_tokens"),
        (asking(max_tokens=0), "max_tokens"),
        (asking(max_tokens="5"), "max_tokens"),
        (asking(temperature=1.5), "temperature"),
        (asking(top_k=-1), "top_k"),
        (asking(stop_sequences="x"), "stop_sequences"),
        (asking(stop_sequences=[""]), "stop_sequences[0]"),
        (asking(system=5), "system"),
        (asking(system=[{"type": "image"}]), "system[0]"),
        (asking() | {"messages": []}, "messages"),
        (asking() | {"messages": ["x"]}, "messages[0]"),
        (asking() | {"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        (asking() | {"messages": [{"role": "user"}]}, "messages[0].content"),
        (turn(), "messages[0].content"),
        (asking(5), "messages[0].content"),
        (turn("x"), "messages[0].content[0]"),
        (turn({"type": "text"}), "messages[0].content[0].text"),
        (turn(USE), "messages[0].content[0]"),
        (turn(RESULT, role="assistant"), "messages[0].content[0]"),
        (turn({**USE, "input": "x"}, role="assistant"), "messages[0].content[0].input"),
        (turn({**USE, "name": ""}, role="assistant"), "messages[0].content[0].name"),
        (turn({"type": "server_tool_use"}, role="assistant"), "messages[0].content[0]"),
        (turn({**RESULT, "content": 5}), "messages[0].content[0].content"),
        (turn({**RESULT, "content": [{"type": "tool_reference"}]}), "messages[0].content[0].content[0]"),
        (turn({**RESULT, "is_error": "yes"}), "messages[0].content[0].is_error"),
        (turn({"type": "image"}), "messages[0].content[0].source"),
        (turn({"type": "image", "source": {"type": "file"}}), "messages[0].content[0].source.type"),
        (turn({"type": "image", "source": {"type": "url", "url": "x"}}), "messages[0].content[0].source.url"),
        (turn({"type": "document", "source": {"type": "url"}}), "messages[0].content[0].source.type"),
        (turn({"type": "thinking", "thinking": "x"}, role="assistant"), "messages[0].content[0].signature"),
        (turn({"type": "text", "text": "x", "cache_control": 5}), "messages[0].content[0].cache_control"),
        (asking(tools=[{}]), "tools[0].name"),
        (asking(tools=[{"name": "x"}]), "tools[0].input_schema"),
        (asking(tools=[5]), "tools[0]"),
        (asking(tools=[{"type": "web_search_20260318", "name": "web_search"}]), "tools[0].type"),
        (asking(tool_choice={"type": "any"}), "tool_choice"),
        (asking(tools=[TOOL], tool_choice={"type": "required"}), "tool_choice.type"),
        (asking(tools=[TOOL], tool_choice={"type": "tool", "name": "other"}), "tool_choice.name"),
        (asking(thinking={"type": "enabled"}), "thinking.budget_tokens"),
        (asking(thinking="on"), "thinking"),
        (asking(output_config={"effort": "huge"}), "output_config.effort"),
        (asking(output_config={"format": {"type": "json_schema"}}), "output_config.format.schema"),
        (asking(metadata={"user_id": 5}), "metadata.user_id"),
        (asking(service_tier="vip"), "service_tier"),
        (asking(mcp_servers=[{"name": "x"}]), "mcp_servers"),
        (asking(inference_geo="eu"), "inference_geo"),
        (asking(n=2), "n"),
        (asking(logprobs=True), "logprobs"),
        (asking(seed="x"), "seed"),
        (asking(provider="groq"), "provider"),
        (asking(deadline_s=-1), "deadline_s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_of_the_wrong_kind_is_named(unchanged, body, param):
    """The first field at fault stands first in the message."""
    error = check_error(post(unchanged, body), 400, "invalid_request_error")
    assert error["error"]["message"].startswith(f"{param}: ")


def test_nulls_stand_for_absent(stack):
    """Clients that send every optional field as null are served."""
    names = ("system", "tools", "tool_choice", "thinking", "metadata", "stop_sequences", "temperature", "top_k")
    more = ("output_config", "output_format", "cache_control", "service_tier", "mcp_servers", "container")
    assert post(stack, asking(**dict.fromkeys(names + more))).status_code == 200
