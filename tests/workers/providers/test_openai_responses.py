"""A vendor's own Responses endpoint: what is read of its answers, its events and its errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import (
    ContextLengthExceeded,
    MalformedAnswer,
    NotExpressible,
    ProviderError,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
)
from routing.job import Usage
from workers.frames import RESPONSE_EVENT
from workers.providers.anthropic import AnthropicProvider
from workers.providers.base import Account, Reply
from workers.providers.openai import OpenAIProvider

ACCOUNT = Account("vendor", "https://llm.example.com/v1/chat/completions", "sk-secret")
ADAPTER = OpenAIProvider(ACCOUNT)
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "status": "completed"}
USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 2},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 12,
}
COUNTED = Usage(7, 5, 2, 3)


def whole(**fields):
    """A response that has ended."""
    return {"id": "resp_v", "object": "response", "status": "completed", "output": [MESSAGE], "usage": USAGE} | fields


def reply(body, status=200):
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def ending(kind="response.completed", **fields):
    return event(kind, response=whole(**fields))


def delta(words="a", index=0):
    return event("response.output_text.delta", output_index=index, item_id="msg_1", content_index=0, delta=words)


ADDED = event("response.output_item.added", output_index=0, item=MESSAGE)


def reader(content_type="text/event-stream"):
    return ADAPTER.response_stream("asked-model", {"content-type": content_type})


def told(stream, *pieces):
    """The types of the events that these pieces give."""
    return [entry["delta"][RESPONSE_EVENT]["type"] for piece in pieces for entry in stream.feed(piece)]


def test_the_call():
    """The request goes to the responses beside the chat, as it is but for the model."""
    call = ADAPTER.respond("m", {"model": "alias", "input": [], "tools": [{"type": "web_search"}], "new": 1})
    assert call.url == "https://llm.example.com/v1/responses"
    assert call.headers["authorization"] == "Bearer sk-secret"
    assert json.loads(call.body) == {"model": "m", "input": [], "tools": [{"type": "web_search"}], "new": 1}


def test_a_dialect_without_one_says_so():
    """No call is made, and the job may go on to the next candidate."""
    adapter = AnthropicProvider(Account("a", "https://api.anthropic.com", "sk"))
    for ask in (
        lambda: adapter.respond("m", {}),
        lambda: adapter.response("m", reply({})),
        lambda: adapter.response_stream("m", {}),
    ):
        with pytest.raises(NotExpressible):
            ask()


def test_a_whole_answer():
    """It stays as it is; usage is counted, and what is missing of it is zero."""
    completion = ADAPTER.response("m", reply(whole(extra={"x": 1}, model="m-2026")))
    assert completion.usage == COUNTED
    assert completion.body["usage"]["input_tokens_details"] == {"cached_tokens": 2, "cache_write_tokens": 0}
    assert {name: completion.body[name] for name in ("id", "output", "extra", "model")} == {
        "id": "resp_v",
        "output": [MESSAGE],
        "extra": {"x": 1},
        "model": "m-2026",
    }
    bare = ADAPTER.response("m", reply({"status": "incomplete", "output": []}))
    assert (bare.usage, bare.body["model"], bare.body["usage"]["total_tokens"]) == (Usage(), "m", 0)


@pytest.mark.parametrize(
    "body",
    [
        {},
        whole(output=None),
        whole(output=["x"]),
        whole(output=[{"id": "x"}]),
        whole(status="in_progress"),
        whole(status="queued", output=[]),
        whole(status=5),
    ],
)
def test_what_is_no_response(body):
    """It is a malformed answer, and is tried again."""
    with pytest.raises(MalformedAnswer):
        ADAPTER.response("m", reply(body))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", ProviderFailed),
        ("rate_limit_exceeded", ProviderRateLimited),
        ("invalid_prompt", ProviderRefused),
        ("image_too_large", ProviderRefused),
        ("context_length_exceeded", ContextLengthExceeded),
        ("insufficient_quota", ProviderMisconfigured),
        ("vector_store_timeout", ProviderFailed),
        ("never_heard_of", ProviderFailed),
    ],
)
def test_errors_are_classed_as_those_of_a_chat(code, kind):
    """In a response that failed, in an event that says so, and in an error event, flat or not."""
    error = {"code": code, "message": "No."}
    with pytest.raises(kind):
        ADAPTER.response("m", reply(whole(status="failed", error=error)))
    for piece in (
        event("response.failed", response=whole(status="failed", error=error)),
        event("error", **error, param=None, sequence_number=3),
        event("error", error={**error, "type": "x"}),
    ):
        with pytest.raises(kind):
            reader().feed(piece)


def test_a_failure_without_a_reason():
    """It is the vendor's failure."""
    for fails in (
        lambda: ADAPTER.response("m", reply(whole(status="failed"))),
        lambda: ADAPTER.response("m", reply(whole(status="cancelled"))),
        lambda: reader().feed(event("response.failed", response=whole(status="failed"))),
        lambda: reader().feed(event("response.failed")),
    ):
        with pytest.raises(ProviderFailed):
            fails()


def test_a_status_is_read_as_in_a_chat():
    """A vendor without the endpoint is misconfigured; a refusal has the vendor's words."""
    with pytest.raises(ProviderMisconfigured):
        ADAPTER.response("m", reply({"error": {"message": "no such URL"}}, 404))
    with pytest.raises(ProviderRefused, match="seed"):
        ADAPTER.response("m", reply({"error": {"message": "seed?", "param": "seed"}}, 400))


def test_events_are_told_as_they_are():
    """The opening is the router's to tell, and so is the end, which has the whole answer and its usage."""
    stream = reader()
    opening = [event(f"response.{step}", response=whole(status="in_progress")) for step in ("created", "in_progress")]
    assert told(stream, *opening, event("keepalive")) == []
    [entry] = stream.feed(event("response.new_tool.x", output_index=0, payload={"y": [1]}, sequence_number=9))
    assert entry["delta"] == {
        RESPONSE_EVENT: {
            "type": "response.new_tool.x", "output_index": 0, "payload": {"y": [1]}, "sequence_number": 9,
        }
    }  # fmt: skip
    assert stream.usage == Usage()
    assert told(stream, ending()) == []
    assert (stream.done, stream.usage, stream.completion().usage) == (True, COUNTED, COUNTED)
    assert stream.completion().body["output"] == [MESSAGE]
    assert told(stream, delta("late")) == []


def test_what_only_begins_is_held_back():
    """It comes with what it began, so that a failure before that can be made good elsewhere."""
    stream = reader()
    part = event("response.content_part.added", output_index=0, content_index=0, part={})
    assert told(stream, ADDED, part) == []
    assert told(stream, delta()) == [
        "response.output_item.added", "response.content_part.added", "response.output_text.delta",
    ]  # fmt: skip
    late = reader()
    assert told(late, ADDED, ending()) == ["response.output_item.added"]


def test_a_stream_without_its_end_was_cut():
    """Whatever it has told; and an incomplete response is an end."""
    stream = reader()
    told(stream, ADDED, delta())
    with pytest.raises(MalformedAnswer):
        stream.completion()
    stream = reader()
    told(stream, delta(), ending("response.incomplete", status="incomplete"))
    assert stream.completion().body["status"] == "incomplete"


def test_what_came_before_an_error_is_told_first():
    """However the bytes were cut."""
    stream = reader()
    assert told(stream, delta() + event("error", code="server_error", message="x")) == ["response.output_text.delta"]
    with pytest.raises(ProviderFailed):
        stream.completion()


def test_a_whole_answer_to_a_streaming_call():
    """It is told once it has ended, as it has no deltas."""
    stream = reader("application/json")
    assert stream.feed(json.dumps(whole()).encode()) == []
    assert stream.completion().usage == COUNTED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "id", "type"]), inner),
    max_leaves=4,
)
KINDS = st.sampled_from(
    ["response.created", "response.output_item.added", "response.output_text.delta", "response.completed", "x", "error"]
)
FIELDS = st.dictionaries(
    st.sampled_from(["response", "item", "output_index", "delta", "part", "error", "status", "code", "message"]),
    JSON | st.just(whole()),
    max_size=4,
)


@given(st.lists(st.tuples(KINDS, FIELDS), max_size=6), st.integers(1, 40))
def test_any_stream_is_read_or_is_an_error_of_the_provider(events, size):
    """Nothing else is raised, and the same is told however the bytes are cut."""
    data = b"".join(event(kind, **fields) for kind, fields in events)

    def read(pieces):
        stream, entries = reader(), []
        try:
            for piece in pieces:
                entries += stream.feed(piece)
            stream.completion()
        except ProviderError as error:
            return entries, type(error)
        return entries, None

    assert read([data]) == read([data[start : start + size] for start in range(0, len(data), size)])
