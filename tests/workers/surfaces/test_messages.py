"""Anthropic's Messages: how an answer, its stream and an error are told."""

import json

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from routing.job import Usage
from tests.support.deltas import completion_of, deltas_of
from workers.surfaces.base import Head, compact
from workers.surfaces.messages import Messages
from workers.surfaces.messages_request import chat_request

SURFACE = Messages()
HEAD = Head("job_ab12", "gpt-oss", 1_760_000_000)
EVENT = TypeAdapter(RawMessageStreamEvent)
SIGNED = [{"type": "thinking", "thinking": "Rome it is.", "signature": "EqQB"}]
REDACTED = [{"type": "redacted_thinking", "data": "EmwK"}]


def call(number=0, arguments='{"city":"Rome"}', **extra):
    function = {"name": f"tool_{number}", "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function, **extra}


def thinking(blocks):
    return {"extra_content": {"anthropic": {"thinking_blocks": blocks}}}


def told(answer):
    """The answer as the SDK's own type, and as it is sent."""
    body = SURFACE.answer(answer, HEAD)
    Message.model_validate(body, strict=True)
    return body


def accumulated(answer, deltas):
    """The Message that Anthropic's client makes of the stream."""
    writer = SURFACE.writer(HEAD)
    events = [event for delta in deltas for event in writer.choice(delta)]
    events += writer.completed(SURFACE.answer(answer, HEAD))
    snapshot, buffers = None, {}
    for event in events:
        assert event.name == event.data["type"]
        parsed = EVENT.validate_python(dict(event.data))
        snapshot = accumulate_event(event=parsed, current_snapshot=snapshot, json_bufs=buffers)
    assert events[-1].name == "message_stop"
    begun = [event.data["index"] for event in events if event.name == "content_block_start"]
    assert begun == [event.data["index"] for event in events if event.name == "content_block_stop"]
    return json.loads(snapshot.to_json())


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(st.none() | st.booleans() | st.integers(-999, 999) | texts, st.lists, max_leaves=4)
arguments = st.dictionaries(texts, values, max_size=3)
thoughts = st.lists(
    st.builds(lambda words: {"type": "thinking", "thinking": words, "signature": "sig"}, texts) | st.just(REDACTED[0]),
    max_size=3,
)


@st.composite
def completions(draw):
    """Any answer of a chat model that has something to say."""
    calls = [call(number, json.dumps(draw(arguments))) for number in range(draw(st.integers(0, 3)))]
    message = {"content": draw(texts) or None}
    if calls:
        message["tool_calls"] = calls
    blocks = draw(thoughts)
    if blocks:
        holder = calls[0] if calls else message
        holder.update(thinking(blocks))
        message["reasoning_content"] = "".join(block.get("thinking", "") for block in blocks)
    elif reasoning := draw(texts):
        message["reasoning_content"] = reasoning
    return completion_of(message, finish="tool_calls" if calls else draw(st.sampled_from(["stop", "length"])))


@given(answer=completions(), pieces=st.integers(1, 4))
def test_a_stream_adds_up_to_the_answer(answer, pieces):
    """Anthropic's own accumulation of the events is the Message that is not streamed."""
    assert accumulated(answer, deltas_of(answer, pieces)) == told(answer)


@given(answer=completions())
def test_an_answer_that_comes_back_is_what_it_was(answer):
    """A Message returned in the history is the chat message it was made of: text, calls, thinking."""
    message = answer["choices"][0]["message"]
    body = {"messages": [{"role": "assistant", "content": told(answer)["content"]}]}
    [back] = chat_request(body)["messages"]
    assert (back["content"] or None) == message["content"]
    assert back.get("reasoning_content", "") == message.get("reasoning_content", "")
    for ours, theirs in zip(back.get("tool_calls", []), message.get("tool_calls", []), strict=True):
        assert ours["id"] == theirs["id"]
        assert json.loads(ours["function"]["arguments"]) == json.loads(theirs["function"]["arguments"])
        assert ours.get("extra_content") == theirs.get("extra_content")
    assert back.get("extra_content") == message.get("extra_content")


def test_an_answer_is_a_message():
    """Blocks in order, thinking first; cached tokens are counted beside the input."""
    calls = [call(0, **thinking([*SIGNED, *REDACTED])), call(1, "{}")]
    body = told(completion_of({"content": "Let me see.", "tool_calls": calls}, finish="tool_calls"))
    assert body["id"] == "msg_ab12"
    assert (body["stop_reason"], body["stop_sequence"]) == ("tool_use", None)
    assert body["content"] == [
        *SIGNED,
        *REDACTED,
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "call_0", "name": "tool_0", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "call_1", "name": "tool_1", "input": {}},
    ]
    assert body["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 2},
    }
    assert SURFACE.usage(body) == Usage(9, 3, 4, 2), "the router counts them as before"


@pytest.mark.parametrize(
    ("finish", "fields", "reason"),
    [
        ("stop", {}, "end_turn"),
        ("length", {}, "max_tokens"),
        ("content_filter", {}, "refusal"),
        ("stop", {"tool_calls": [call()]}, "tool_use"),
        ("tool_calls", {"tool_calls": [call()]}, "tool_use"),
        ("length", {"tool_calls": [call()]}, "max_tokens"),
        ("tool_calls", {}, "end_turn"),
        ("stop", {"content": None, "refusal": "No."}, "refusal"),
    ],
)
def test_stop_reasons(finish, fields, reason):
    """A finish reason is one of Anthropic's stop reasons, and right for calls and refusals whatever a vendor says."""
    assert told(completion_of({"content": "x", **fields}, finish=finish))["stop_reason"] == reason


def test_a_stop_sequence_is_told_where_it_is_known():
    """The sequence a provider says it met is the message's."""
    answer = completion_of({"content": "x"})
    answer["choices"][0]["stop_reason"] = "END"
    body = told(answer)
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "END")
    answer["choices"][0]["stop_reason"] = 128_001
    assert told(answer)["stop_reason"] == "end_turn", "a token's number, as vLLM gives it, is no sequence"


def test_a_refusal_is_explained():
    """The model's words on why are the explanation, streamed or not."""
    answer = completion_of({"content": None, "refusal": "Not this."}, finish="content_filter")
    body = told(answer)
    assert (body["content"], body["stop_details"]["explanation"]) == ([], "Not this.")
    assert accumulated(answer, deltas_of(answer)) == body


def test_arguments_that_are_no_json_are_not_lost():
    """What a model wrote in place of JSON is shown to the caller's tool as it was."""
    for raw in ("{broken", '"text"', "[1]"):
        assert told(completion_of({"tool_calls": [call(0, raw)]}))["content"][0]["input"] == {"raw_arguments": raw}
    assert told(completion_of({"tool_calls": [call(0, "")]}))["content"][0]["input"] == {}


def test_another_vendors_signature_stays_with_its_call():
    """Gemini's thought signature is on the block, streamed or not, and comes back on the call."""
    extra = {"google": {"thought_signature": "abc"}}
    answer = completion_of({"tool_calls": [call(0, extra_content=extra)]}, finish="tool_calls")
    body = told(answer)
    assert body["content"][0]["extra_content"] == extra
    assert accumulated(answer, deltas_of(answer, 3)) == body
    [back] = chat_request({"messages": [{"role": "assistant", "content": body["content"]}]})["messages"]
    assert back["tool_calls"][0]["extra_content"] == extra


def test_signatures_that_come_late_are_not_lost():
    """Thinking whose signature is only told with the first call is told again, signed, before it."""
    late = [
        {"index": 0, "delta": {"reasoning_content": "Rome it is."}},
        {"index": 0, "delta": {"content": "Hm."}},
        {"index": 0, "delta": {"tool_calls": [{"index": 0, **call(0, **thinking(SIGNED))}]}},
    ]
    answer = completion_of({"content": "Hm.", "tool_calls": [call(0, **thinking(SIGNED))]}, finish="tool_calls")
    message = accumulated(answer, late)
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "thinking", "tool_use"]
    [back] = chat_request({"messages": [{"role": "assistant", "content": message["content"]}]})["messages"]
    assert back["tool_calls"][0]["extra_content"] == answer["choices"][0]["message"]["tool_calls"][0]["extra_content"]


def test_thinking_between_calls_is_told():
    """Signed thinking that comes after a call, as an addition to it, is a block of its own in its place."""
    more = {"type": "thinking", "thinking": "And now?", "signature": "Zz"}
    late = [
        {"index": 0, "delta": {"tool_calls": [{"index": 0, **call(0, **thinking(SIGNED))}]}},
        {"index": 0, "delta": {"tool_calls": [{"index": 0, **thinking([more])}]}},
        {"index": 0, "delta": {"tool_calls": [{"index": 1, **call(1)}]}},
    ]
    answer = completion_of({"tool_calls": [call(0, **thinking([*SIGNED, more])), call(1)]}, finish="tool_calls")
    message = accumulated(answer, late)
    assert [block.get("signature") for block in message["content"]] == ["EqQB", None, "Zz", None]
    [back] = chat_request({"messages": [{"role": "assistant", "content": message["content"]}]})["messages"]
    assert back["tool_calls"] == answer["choices"][0]["message"]["tool_calls"]


@given(st.lists(texts.filter(bool), min_size=1))
def test_a_piece_can_be_set_between_the_same_bytes(pieces):
    """While text goes on, an event is the bytes around its piece and the piece; before and after, it is not."""
    writer = SURFACE.writer(HEAD)
    assert writer.content_around is None
    writer.choice({"index": 0, "delta": {"content": "x"}})
    for piece in pieces:
        [event] = writer.choice({"index": 0, "delta": {"content": piece}})
        sent = f"event: {event.name}\ndata: {compact(event.data)}\n\n"
        before, after = writer.content_around
        assert before + json.dumps(piece).encode() + after == sent.encode()
    writer.choice({"index": 0, "delta": {"reasoning_content": "Hm."}})
    assert writer.content_around is None


def test_calls_that_are_told_by_turns_stay_apart():
    """A vendor that goes back to an earlier call is followed: each input is whole."""
    begun = [{"index": index, **call(index, "")} for index in (0, 1)]
    pieces = [(0, '{"a"'), (1, '{"b"'), (0, ":1}"), (1, ":2}")]
    deltas = [{"index": 0, "delta": {"tool_calls": [one]}} for one in begun]
    deltas += [
        {"index": 0, "delta": {"tool_calls": [{"index": index, "function": {"arguments": text}}]}}
        for index, text in pieces
    ]
    answer = completion_of({"tool_calls": [call(0, '{"a":1}'), call(1, '{"b":2}')]}, finish="tool_calls")
    assert accumulated(answer, deltas) == told(answer)


def test_an_empty_answer_is_a_whole_stream():
    """A stream without a delta still begins and ends."""
    answer = completion_of({"content": ""})
    assert accumulated(answer, []) == told(answer)


def test_a_second_choice_is_not_told():
    """A Message has one choice."""
    assert SURFACE.writer(HEAD).choice({"index": 1, "delta": {"content": "x"}}) == ()


def test_the_last_counts_and_the_route_are_told_at_the_end():
    """message_delta has the usage and how the job was routed."""
    answer = {**told(completion_of({"content": "x"})), "routing_metadata": {"job_id": "job_ab12"}}
    event = SURFACE.writer(HEAD).completed(answer)[-2]
    assert event.name == "message_delta"
    assert event.data["usage"] == answer["usage"]
    assert event.data["routing_metadata"] == answer["routing_metadata"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_an_error_is_anthropics(status, kind):
    """Each status has Anthropic's type; code, route and request id are kept; a stream's error event says the same."""
    body = {"error": {"message": "m", "type": "x", "param": None, "code": "c"}, "routing_metadata": {"job_id": "j"}}
    error = {"type": kind, "message": "m", "details": {"error_code": "c"}}
    expected = {"type": "error", "error": error, "routing_metadata": {"job_id": "j"}}
    assert SURFACE.error(body, status, "req_1") == {**expected, "request_id": "req_1"}
    [event] = SURFACE.writer(HEAD).failed(body, status)
    assert (event.name, event.data) == ("error", expected)
