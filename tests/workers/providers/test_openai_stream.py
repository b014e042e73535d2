"""Streams of OpenAI-compatible vendors: the accents that the sandbox does not speak."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import (
    ContextLengthExceeded,
    KeyRefused,
    MalformedAnswer,
    ProviderError,
    ProviderFailed,
    ProviderRateLimited,
)
from routing.job import Usage
from workers.providers.base import Account
from workers.providers.openai import OpenAIProvider

ACCOUNT = Account("vendor", "https://llm.example.com/v1", "sk-secret")
DONE = b"data: [DONE]\n\n"


def reader(**headers):
    return OpenAIProvider(ACCOUNT).stream("asked-model", {"content-type": "text/event-stream", **headers})


def event(value):
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event(
        {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice]} | more
    )


def read(*events):
    """The deltas of a stream, and its reader."""
    stream = reader()
    entries = [entry for data in events for entry in stream.feed(data)]
    return [entry["delta"] for entry in entries if entry["delta"]], stream


def message(stream):
    return stream.completion().body["choices"][0]["message"]


@pytest.mark.parametrize("data", [chunk({"content": "a", "role": "assistant"})[:-4], b": ping\n\n", b"event: ping\n\n"])
def test_nothing_is_told_before_an_event_is_whole(data):
    """Half an event, a keep-alive and an event without data say nothing."""
    assert reader().feed(data) == []


def test_the_usual_stream():
    """Empty deltas and the role are dropped; the head of the first chunk is the completion's."""
    deltas, stream = read(
        chunk({"role": "assistant", "content": ""}, system_fingerprint="fp", obfuscation="xyz"),
        chunk({"content": "a"}),
        b": keep-alive\n\n",
        chunk({"content": "b"}),
        chunk({}, "stop"),
        event({"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
        DONE,
    )
    assert deltas == [{"content": "a"}, {"content": "b"}]
    body = stream.completion().body
    assert (body["id"], body["created"], body["model"], body["system_fingerprint"]) == ("c1", 5, "m", "fp")
    assert "obfuscation" not in body
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "ab", "refusal": None}
    assert stream.usage == Usage(3, 2)


def test_bytes_after_the_end_are_ignored():
    """What comes after [DONE] is not read, be it broken."""
    _, stream = read(chunk({"content": "a"}, "stop"), DONE + b"data: {\n\n")
    assert stream.feed(b"data: nonsense\n\n") == []
    assert message(stream)["content"] == "a"


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        ((chunk({"content": "a"}),), False),
        ((), False),
        ((chunk({"content": "a"}, "stop"),), True),
        ((chunk({"content": "a"}), DONE), True),
    ],
    ids=["nothing", "no bytes", "finish", "done"],
)
def test_the_proper_end(events, whole):
    """[DONE] ends an answer, and so does its last finish reason; without either it was cut."""
    _, stream = read(*events)
    assert stream.done == (DONE in events)
    if whole:
        assert stream.completion().body["choices"][0]["finish_reason"] == "stop"
    else:
        with pytest.raises(MalformedAnswer):
            stream.completion()


def test_a_finish_reason_is_told_once_and_at_the_end():
    """A vendor that repeats it, or leaves it to [DONE], is set right."""
    stream = reader()
    entries = stream.feed(chunk({"content": "a"}, "stop") + chunk({"content": ""}, "stop", usage={}) + DONE)
    assert [entry["finish_reason"] for entry in entries] == [None, "stop"]
    late = reader().feed(chunk({"content": "a"}) + DONE)
    assert late[-1] == {"index": 0, "delta": {}, "finish_reason": "stop"}


@pytest.mark.parametrize(("told", "meant"), [("tool_use", "tool_calls"), ("max_tokens", "length"), ("odd", "stop")])
def test_foreign_finish_reasons(told, meant):
    """Are OpenAI's words, as in an answer in one piece."""
    assert reader().feed(chunk({}, told))[-1]["finish_reason"] == meant


@pytest.mark.parametrize(("told", "kept"), [("END", {"stop_reason": "END"}), (None, {}), (128_009, {})])
def test_the_stop_sequence_that_was_met(told, kept):
    """VLLM names it with the finish reason; null, and a token's number, say nothing to a caller."""
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": told}
    stream = reader()
    entries = stream.feed(chunk({"content": "a"}) + chunk(choices=[choice]) + DONE)
    assert entries[-1] == {"index": 0, "delta": {}, "finish_reason": "stop", **kept}
    assert stream.completion().body["choices"][0].get("stop_reason") == kept.get("stop_reason")


def test_stop_beside_tool_calls():
    """Is tool_calls."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    assert reader().feed(chunk({"tool_calls": [call]}) + chunk({}, "stop"))[-1]["finish_reason"] == "tool_calls"


def test_reasoning_has_one_name():
    """`reasoning`, `reasoning_content`, both at once, and Mistral's parts are all `reasoning_content`."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "d"}]}, {"type": "text", "text": "e"}]
    deltas, stream = read(
        chunk({"reasoning": "a"}),
        chunk({"reasoning_content": "b"}),
        chunk({"reasoning": "c", "reasoning_content": "c"}),
        chunk({"content": parts}),
        DONE,
    )
    assert deltas[:3] == [{"reasoning_content": words} for words in "abc"]
    assert deltas[3] == {"content": "e", "reasoning_content": "d"}
    assert message(stream)["reasoning_content"] == "abcd"


def test_known_extras_are_kept_and_others_left_out():
    """The router's own fields pass in their places; what nobody knows does not."""
    details = (
        [{"type": "reasoning.text", "index": 0, "text": "a"}],
        [{"type": "reasoning.text", "index": 0, "text": "b", "signature": "s"}],
    )
    deltas, stream = read(
        chunk({"content": "a", "annotations": [{"type": "url_citation"}], "odd": 1, "images": "no list"}),
        chunk({"reasoning_details": details[0], "extra_content": {"google": {"thought_signature": "1"}}}),
        chunk({"reasoning_details": details[1], "images": [{"type": "image_url"}]}),
        DONE,
    )
    assert deltas[0] == {"content": "a", "annotations": [{"type": "url_citation"}]}
    told = message(stream)
    assert told["reasoning_details"] == [{"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"}]
    assert told["extra_content"] == {"google": {"thought_signature": "1"}}
    assert told["images"] == [{"type": "image_url"}]


def test_log_probabilities_are_gathered():
    """They stand in the entries that have them, and one after another in the whole."""
    step = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    first = {"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [step], "refusal": None}}
    stream = reader()
    entries = stream.feed(event({"choices": [first]}) + event({"choices": [first]}) + chunk({}, "stop"))
    assert entries[0]["logprobs"]["content"] == [step]
    assert "logprobs" not in entries[2]
    assert stream.completion().body["choices"][0]["logprobs"] == {"content": [step, step], "refusal": None}


@pytest.mark.parametrize(
    "usage_chunk",
    [
        {"usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        {"x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}, "id": "r"}},
    ],
)
def test_usage_wherever_it_stands(usage_chunk):
    """With the finish, as Mistral and xAI tell it, and in Groq's own place."""
    _, stream = read(chunk({"content": "a"}), chunk({}, "stop", **usage_chunk), DONE)
    assert stream.completion().usage == Usage(3, 2)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (event({"error": {"message": "m", "code": 429}}), ProviderRateLimited),
        (event({"error": {"message": "m", "code": "401"}}), KeyRefused),
        (event({"error": {"message": "m", "type": "server_error", "code": None}}), ProviderFailed),
        (event({"error": {"message": "m", "code": "context_length_exceeded"}}), ContextLengthExceeded),
        (event({"error": {"message": "m", "type": "tool_use_failed"}}), MalformedAnswer),
        (event({"object": "error", "message": "m", "code": 503}), ProviderFailed),
        (b"event: error\n" + event({"message": "m"}), ProviderFailed),
        (chunk({"content": ""}, "error", error={"message": "m", "code": 502}), ProviderFailed),
        (chunk({}, "error"), ProviderFailed),
        (chunk({}, "insufficient_system_resource"), ProviderFailed),
        (chunk({}, None, x_groq={"error": "m"}), ProviderFailed),
    ],
)
def test_errors_in_the_midst(data, kind):
    """Each is classed as its status and code stand for, and never shows the key."""
    with pytest.raises(ProviderError) as caught:
        reader().feed(data.replace(b'"m"', b'"key sk-secret"'))
    assert type(caught.value) is kind
    assert "sk-secret" not in caught.value.message


@pytest.mark.parametrize(
    "value", [[], "text", {"odd": 1}, {"choices": "x"}, {"choices": [1]}, {"choices": [{"delta": {"tool_calls": 1}}]}]
)
def test_what_is_not_the_dialect_is_malformed(value):
    """JSON that is no chunk."""
    with pytest.raises(MalformedAnswer):
        reader().feed(event(value))


def calls_of(*pieces):
    """The tool call pieces that a stream of `pieces`, each a delta's list, is told as, and the message."""
    deltas, stream = read(*(chunk({"tool_calls": piece}) for piece in pieces), DONE)
    return [call for delta in deltas for call in delta["tool_calls"]], message(stream)["tool_calls"]


def function(name="", arguments="", **more):
    return {**more, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "pieces",
    [
        [[function("f", "1", index=0, id="a")], [function("g", "2", index=1, id="b")]],
        [[function("f", "1", index=0, id="a"), function("g", "2", index=0, id="b")]],
        [[function("f", "1", id="a")], [function("g", "2", id="b")]],
        [[function("f", "", index=0, id="a")], [function("", "1", index=0)], [function("g", "2", index=1, id="b")]],
        [
            [function("f", "", index=0, id="a")],
            [function("f", "1", index=0, id="a")],
            [function("g", "2", index=4, id="b")],
        ],
        [[{"index": 0, "id": "a"}], [function("f", "1", index=0)], [function("g", "2", index=1, id="b")]],
    ],
    ids=["as OpenAI", "one index", "no index", "in pieces", "repeated", "name later"],
)
def test_tool_calls_whatever_their_accent(pieces):
    """Two calls are two calls, numbered from 0, with id and name once and their own arguments."""
    told, whole = calls_of(*pieces)
    assert [(call["id"], call["function"]) for call in whole] == [
        ("a", {"name": "f", "arguments": "1"}),
        ("b", {"name": "g", "arguments": "2"}),
    ]
    assert [call["index"] for call in told] == sorted(call["index"] for call in told)
    assert [call["function"].get("name") for call in told if "id" in call] == ["f", "g"]
    assert all("name" not in call["function"] for call in told if "id" not in call)


def test_a_call_without_an_id_or_arguments_is_completed():
    """An id is made up, arguments as an object are text, none at all are an empty object."""
    _, whole = calls_of([{"index": 0, "function": {"name": "f", "arguments": {"x": 1}}}], [function("g", index=1)])
    assert [json.loads(call["function"]["arguments"]) for call in whole] == [{"x": 1}, {}]
    assert len({call["id"] for call in whole} - {""}) == 2


def test_a_custom_tool_call_passes():
    """Its input comes in pieces, as arguments do."""
    _, whole = calls_of(
        [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": ""}}],
        [{"index": 0, "custom": {"input": "ls"}}],
        [{"index": 0, "custom": {"input": " -l"}}],
    )
    assert whole == [{"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}}]


def test_a_call_that_gets_no_name_is_malformed():
    """Nothing can be called."""
    with pytest.raises(MalformedAnswer):
        reader().feed(chunk({"tool_calls": [{"index": 0, "id": "a"}]}) + chunk({}, "tool_calls"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "content",
    "reasoning",
    "reasoning_content",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "extra_content",
]
calls = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "index": st.integers(0, 2) | json_values,
            "id": st.sampled_from(["a", "b", "", None]) | json_values,
            "function": st.fixed_dictionaries(
                {}, optional={"name": st.sampled_from(["f", "", None]), "arguments": st.text(max_size=3) | json_values}
            ),
        },
    ),
    max_size=3,
)
deltas = st.dictionaries(st.sampled_from(FIELDS), json_values | st.text(max_size=4) | calls, max_size=4)
chunks = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": st.integers(-1, 2) | json_values,
                    "delta": deltas | json_values,
                    "finish_reason": st.sampled_from([None, "stop", "tool_calls", "odd"]) | json_values,
                    "logprobs": json_values,
                },
            ),
            max_size=3,
        )
        | json_values,
        "usage": json_values,
        "object": st.just("chat.completion.chunk"),
        "x_groq": json_values,
        "id": json_values,
        "model": json_values,
    },
)


@given(st.lists(chunks, max_size=6))
def test_any_chunks_are_read_or_refused(stream):
    """Whatever JSON comes as chunks, it is read into OpenAI's form or is a ProviderError, and nothing else."""
    told = reader()
    try:
        entries = [entry for data in stream for entry in told.feed(event(data))] + told.feed(DONE)
        body = told.completion().body
    except ProviderError:
        return
    json.dumps([entries, body])
    for choice in body["choices"]:
        mine = [entry["delta"] for entry in entries if entry["index"] == choice["index"]]
        assert "".join(delta.get("content", "") for delta in mine) == (choice["message"]["content"] or "")
        for call in choice["message"].get("tool_calls", ()):
            assert call["id"]
