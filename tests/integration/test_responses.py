"""The Responses API's ways in and out, through every part."""

import pytest

from tests.support.process_node import wait_until
from tests.support.response_stream import valid
from tests.support.stack import Stack

pytestmark = pytest.mark.integration
PATH = "/v1/responses"
MODEL = "groq/openai/gpt-oss-20b"
RIVAL = {"Authorization": "Bearer ak-rival"}
TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


def ask(text="Say hello.", model=MODEL, **fields):
    """A request of one text."""
    return {"model": model, "input": text, **fields}


def create(stack: Stack, body, path=PATH, **options):
    """The response to `body`, valid by the SDK's type."""
    response = stack.post(body, path=path, **options)
    assert response.status_code == 200, response.text
    return valid(response.json())


def kept(stack: Stack, response_id, **options):
    """The response as it is kept."""
    response = stack.get(f"{PATH}/{response_id}", **options)
    assert response.status_code == 200, response.text
    return valid(response.json())


def ended(stack: Stack, response_id):
    """The response once it has ended."""

    def look():
        found = kept(stack, response_id)
        return found if found["status"] not in ("queued", "in_progress") else None

    return wait_until(look, what=f"the end of {response_id}")


def items_of(stack: Stack, response_id, **query):
    response = stack.get(f"{PATH}/{response_id}/input_items", params={"order": "asc", **query})
    assert response.status_code == 200, response.text
    return response.json()


def words(response):
    return "".join(part["text"] for item in response["output"] for part in item.get("content", ()))


def check_missing(response, code="not_found"):
    assert response.status_code == 404, response.text
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize("model", [MODEL, "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b"])
def test_every_provider_answers(stack, model):
    """A response comes from each dialect, with the story of its route, and can be had again as it was."""
    body = create(stack, ask("Who are you?", model, instructions="Be short.", metadata={"k": "v"}))
    assert body["status"] == "completed"
    assert "Who are you?" in words(body)
    assert (body["instructions"], body["metadata"]) == ("Be short.", {"k": "v"})
    assert body["routing_metadata"]["attempts"][0]["provider"] == model.partition("/")[0]
    assert body["id"].removeprefix("resp_") == body["routing_metadata"]["job_id"].removeprefix("job_")
    assert kept(stack, body["id"]) == body


def test_input_items_reach_the_provider(stack):
    """Messages, pictures and an earlier tool call are understood."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"}
    said = [{"type": "input_text", "text": "look"}, picture]
    seen = create(stack, ask([{"role": "user", "content": said}], "google-gemini/gemini-2.5-flash"))
    assert "look (1 image)" in words(seen)
    called = [
        {"role": "user", "content": "weather?"},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ]
    for model in (MODEL, "google-gemini/gemini-2.5-flash"):
        told = words(create(stack, ask(called, model, tools=[TOOL])))
        assert "The tool said: " in told
        assert "sunny" in told


def test_a_cut_answer_is_incomplete(stack):
    """A limit on the output reaches the provider, and the response says that it was met."""
    body = create(stack, ask("Tell me a long story about the sea.", max_output_tokens=3))
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body["usage"]["output_tokens"] == 3


def test_a_failure_is_openais_error(stack):
    """A request that no provider takes is answered with the error, and kept as a failed response."""
    refused = stack.post(ask(sandbox={"fault": "status", "status": 400}), path=PATH)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "provider_refused"
    response_id = refused.headers["X-Job-Id"].replace("job_", "resp_")
    failed = kept(stack, response_id)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "invalid_prompt"
    assert failed["error"]["message"] == refused.json()["error"]["message"]
    assert failed["routing_metadata"]["attempts"]


def test_background_is_polled(stack):
    """Asked not to wait, the API answers at once with the queued response; it becomes the answer."""
    stack.sandbox.behave("groq", latency_ms=400)
    response = stack.post(ask("Later.", background=True, metadata={"k": "v"}), path=PATH)
    assert response.status_code == 200
    queued = valid(response.json())
    assert queued["status"] in ("queued", "in_progress")
    assert (queued["background"], queued["output"], queued["metadata"]) == (True, [], {"k": "v"})
    assert response.headers["Location"] == f"{PATH}/{queued['id']}"
    wait_until(lambda: kept(stack, queued["id"])["status"] == "in_progress", what="the call")
    done = ended(stack, queued["id"])
    assert (done["status"], done["background"]) == ("completed", True)
    assert "Later." in words(done)


def test_a_background_response_is_cancelled(stack):
    """Its provider call is closed; cancelling again, or what has ended, changes nothing."""
    stack.sandbox.behave("groq", latency_ms=8000)
    queued = create(stack, ask(background=True))
    wait_until(lambda: stack.sandbox.calls()["in_flight"] == 1, what="the call")
    for _ in range(2):
        assert create(stack, None, f"{PATH}/{queued['id']}/cancel")["status"] == "cancelled"
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed call")
    assert kept(stack, queued["id"])["status"] == "cancelled"


def test_only_a_background_response_is_cancelled(stack):
    """One that is waited for is not, as at OpenAI; nor does a completed one change."""
    body = create(stack, ask())
    refused = stack.post(path=f"{PATH}/{body['id']}/cancel")
    assert refused.status_code == 400
    assert "background" in refused.json()["error"]["message"]
    done = ended(stack, create(stack, ask(background=True))["id"])
    assert create(stack, None, f"{PATH}/{done['id']}/cancel") == done


def test_a_conversation_goes_on(stack):
    """The response before, all that led to it included, stands in front of the new input; its instructions do not."""
    first = create(stack, ask("My name is Ada.", instructions="Be short."))
    second = create(stack, ask("What is my name?", previous_response_id=first["id"]))
    third = create(stack, ask("Sure?", previous_response_id=second["id"]))
    assert third["previous_response_id"] == second["id"]
    whole = [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": words(first)},
        {"role": "user", "content": "What is my name?"},
        {"role": "assistant", "content": words(second)},
        {"role": "user", "content": "Sure?"},
    ]
    assert third["usage"]["input_tokens"] == create(stack, ask(whole))["usage"]["input_tokens"]
    listed = items_of(stack, third["id"])["data"]
    assert [item["content"][0]["text"] for item in listed] == [item["content"] for item in whole]
    assert [item["id"] for item in listed[:4]] == [
        *(item["id"] for item in items_of(stack, second["id"])["data"]),
        second["output"][0]["id"],
    ]


@pytest.mark.parametrize("model", [MODEL, "google-gemini/gemini-2.5-flash"])
def test_a_tool_loop_goes_on_from_the_call(stack, model):
    """Only the output need be sent: the call is remembered, and whatever its vendor wants back with it."""
    first = create(stack, ask("use get_weather", model, tools=[TOOL]))
    [call] = [item for item in first["output"] if item["type"] == "function_call"]
    assert call["name"] == "get_weather"
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    second = create(stack, ask([output], model, tools=[TOOL], previous_response_id=first["id"]))
    assert "The tool said: " in words(second)
    assert "sunny" in words(second)
    forgotten = stack.post(ask("And now?", model, previous_response_id=first["id"]), path=PATH)
    assert forgotten.status_code == 400
    assert call["call_id"] in forgotten.json()["error"]["message"]


def test_only_an_answer_is_gone_on_from(stack):
    """A response that runs, failed, was not kept or is not there is refused, each with what is wrong."""
    unkept = create(stack, ask(store=False))
    failed = create(stack, ask(background=True, sandbox={"fault": "status", "status": 400}))
    assert ended(stack, failed["id"])["status"] == "failed"
    stack.sandbox.behave("groq", latency_ms=8000)
    running = create(stack, ask(background=True))
    for response_id, code in (
        (running["id"], None),
        (failed["id"], None),
        (unkept["id"], "previous_response_not_found"),
        ("resp_" + "0" * 32, "previous_response_not_found"),
        ("resp_1", "previous_response_not_found"),
    ):
        refused = stack.post(ask(previous_response_id=response_id), path=PATH)
        assert refused.status_code == 400, refused.text
        error = refused.json()["error"]
        assert (error["param"], error["code"]) == ("previous_response_id", code)
    stack.post(path=f"{PATH}/{running['id']}/cancel")


def test_what_is_not_to_be_stored_is_not_found(stack):
    """`store: false` is answered, and there is nothing to retrieve."""
    body = create(stack, ask(store=False))
    assert body["store"] is False
    check_missing(stack.get(f"{PATH}/{body['id']}"))
    check_missing(stack.get(f"{PATH}/{body['id']}/input_items"))
    later = stack.post(ask("Later.", store=False), path=PATH, headers={"Prefer": "respond-async"})
    assert later.status_code == 200
    assert later.json()["id"].startswith("resp_")


def test_tenants_do_not_see_each_other(stack):
    """Another tenant's response is not there, in whichever way it is asked for."""
    body = create(stack, ask("secret", background=True))
    ended(stack, body["id"])
    path = f"{PATH}/{body['id']}"
    check_missing(stack.get(path, headers=RIVAL))
    check_missing(stack.get(f"{path}/input_items", headers=RIVAL))
    check_missing(stack.post(path=f"{path}/cancel", headers=RIVAL))
    check_missing(stack.session.delete(f"{stack.api.url}{path}", headers=RIVAL))
    refused = stack.post(ask(previous_response_id=body["id"]), path=PATH, headers=RIVAL)
    assert refused.json()["error"]["code"] == "previous_response_not_found"
    assert kept(stack, body["id"])["status"] == "completed"


def test_a_response_is_deleted(stack):
    """It is gone with all it was asked, also for those who would go on from it; a running one is cancelled."""
    body = create(stack, ask("forget me"))
    stack.sandbox.behave("groq", latency_ms=8000)
    running = create(stack, ask(background=True))
    wait_until(lambda: stack.sandbox.calls()["in_flight"] == 1, what="the call")
    for response_id in (body["id"], running["id"]):
        path = f"{stack.api.url}{PATH}/{response_id}"
        deleted = stack.session.delete(path)
        assert deleted.json() == {"id": response_id, "object": "response.deleted", "deleted": True}
        check_missing(stack.session.delete(path))
        check_missing(stack.get(f"{PATH}/{response_id}"))
        assert not stack.redis.client.exists(f"mr:job:{response_id.replace('resp_', 'job_')}")
        refused = stack.post(ask(previous_response_id=response_id), path=PATH)
        assert refused.json()["error"]["code"] == "previous_response_not_found"
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed call")
    assert stack.jobs_left() == 0


def test_a_chats_job_is_no_response(stack):
    """Only what was asked for as a response is one."""
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
    job_id = stack.post(chat).headers["X-Job-Id"]
    check_missing(stack.get(f"{PATH}/{job_id.replace('job_', 'resp_')}"))


def test_the_job_behind_shows_the_response(stack):
    """Polling the job itself gives the same object."""
    body = create(stack, ask())
    assert stack.get(f"/v1/jobs/{body['routing_metadata']['job_id']}").json()["response"] == body


def test_the_same_key_gets_the_same_response(stack):
    """A repeated POST with its Idempotency-Key is answered with the stored response, in both ways of asking."""
    for fields in ({}, {"background": True}):
        headers = {"Idempotency-Key": f"responses-{len(fields)}"}
        first = create(stack, ask("Once.", **fields), headers=headers)
        assert create(stack, ask("Once.", **fields), headers=headers)["id"] == first["id"]
        other = stack.post(ask("Twice.", **fields), path=PATH, headers=headers)
        assert other.status_code == 409


def test_input_items_are_paged(stack):
    """A page ends where it was asked to, in both orders."""
    items = [{"role": "user", "content": str(number)} for number in range(5)]
    response_id = create(stack, ask(items))["id"]
    newest = items_of(stack, response_id, order="desc", limit=2)
    assert [item["content"][0]["text"] for item in newest["data"]] == ["4", "3"]
    assert newest["has_more"] is True
    rest = items_of(stack, response_id, order="desc", after=newest["last_id"])
    assert [item["content"][0]["text"] for item in rest["data"]] == ["2", "1", "0"]
    assert rest["has_more"] is False
    assert items_of(stack, response_id, after=rest["first_id"], limit=1)["data"][0]["content"][0]["text"] == "3"
    for query in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}, {"after": "nobody"}):
        refused = stack.get(f"{PATH}/{response_id}/input_items", params=query)
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] in query


@pytest.mark.parametrize("response_id", ["resp_1", "resp_" + "0" * 32, "job_" + "0" * 32, "x" * 300, "%00"])
def test_an_unknown_response_is_404(stack, response_id):
    """Whatever its id looks like."""
    check_missing(stack.get(f"{PATH}/{response_id}"))


def test_a_key_is_needed(stack):
    """Nobody is answered without one."""
    for method, path in (
        ("POST", ""),
        ("GET", "/x"),
        ("DELETE", "/x"),
        ("POST", "/x/cancel"),
        ("GET", "/x/input_items"),
    ):
        answer = stack.session.request(
            method, f"{stack.api.url}{PATH}{path}", headers={"Authorization": "Bearer nobody"}
        )
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b'{"model": "fast", "input": "nul \\u0000"}', "input"),
        (b'{"model": "fast"}', "input"),
        (b'{"model": "fast", "input": "x", "stream": "yes"}', "stream"),
        (b'{"model": "fast", "input": "x", "tools": [{"type": "mcp"}]}', "tools[0].type"),
        (b'{"model": "fast", "input": "x", "conversation": "conv_1"}', "conversation"),
        (
            b'{"model": "fast", "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}',
            "input[0].call_id",
        ),
        (b'{"model": "fast", "input": "x", "routing_policy": "cheapest-ever"}', "routing_policy"),
    ],
)
def test_a_bad_request_is_400_and_no_job(stack, raw, param):
    """OpenAI's error, all four keys, and nothing was accepted."""
    before = stack.job_count()
    headers = {"Content-Type": "application/json"}
    refused = stack.session.post(f"{stack.api.url}{PATH}", data=raw, headers=headers)
    assert refused.status_code == 400, refused.text
    error = refused.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert stack.job_count() == before
