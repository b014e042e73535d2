"""Anthropic's stream: what the sandbox does not send, and what nobody should."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import MalformedAnswer, ProviderError, ProviderFailed, ProviderMisconfigured, ProviderRateLimited
from routing.job import Usage
from workers.providers.anthropic import AnthropicProvider
from workers.providers.base import Account

ACCOUNT = Account("claude", "https://api.anthropic.com/v1/messages", "sk-secret")
COUNTS = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 1, "output_tokens": 1}
START = {"type": "message_start", "message": {"type": "message", "id": "msg_1", "model": "m", "usage": COUNTS}}
STOP = {"type": "message_stop"}


def reader():
    return AnthropicProvider(ACCOUNT).stream("asked-model", {"content-type": "text/event-stream; charset=utf-8"})


def event(value):
    return f"event: {value.get('type')}\ndata: {json.dumps(value)}\n\n".encode()


def read(*values):
    """The entries of a stream, and its reader."""
    stream = reader()
    return [entry for value in values for entry in stream.feed(event(value))], stream


def block(index, content, *deltas, stop=True):
    """The events of one content block."""
    start = {"type": "content_block_start", "index": index, "content_block": content}
    told = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [start, *told, *([{"type": "content_block_stop", "index": index}] if stop else [])]


def words(value):
    return {"type": "text_delta", "text": value}


def inputs(*pieces):
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def tool(name="f", call_id="toolu_1", **given):
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def ended(reason="end_turn", **more):
    return [{"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": {"output_tokens": 7}}, STOP]


def message(stream):
    return stream.completion().body["choices"][0]["message"]


def test_usage_is_known_from_the_start():
    """The prompt's tokens with message_start; the answer's with message_delta, which may leave out what stays."""
    _, stream = read(START, *block(0, {"type": "text", "text": ""}, words("a"), stop=False))
    assert stream.usage == Usage(15, 1, 4)
    assert not stream.done
    _, stream = read(START, *ended())
    assert stream.usage == Usage(15, 7, 4)


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_only_message_stop_is_the_end(count):
    """A stream that stops anywhere before it was cut, be all words told."""
    events = [START, *block(0, {"type": "text", "text": ""}, words("a")), *ended()][:-1]
    _, stream = read(*events[:count])
    with pytest.raises(MalformedAnswer):
        stream.completion()


def test_bytes_after_the_end_are_ignored():
    """Whatever they are."""
    _, stream = read(START, *ended())
    assert stream.done
    assert stream.feed(b"data: nonsense\n\n") == []
    assert stream.completion().body["choices"][0]["finish_reason"] == "stop"


def test_a_call_without_input_has_an_empty_object():
    """No pieces at all, or an empty one: the arguments are {}; a whole input in the block's start is taken."""
    entries, stream = read(
        START,
        *block(0, tool("f", "a")),
        *block(1, tool("g", "b"), *inputs("")),
        *block(2, tool("h", "c", x=1)),
        *ended("tool_use"),
    )
    arguments = [call["function"]["arguments"] for call in message(stream)["tool_calls"]]
    assert arguments == ["{}", "{}", '{"x":1}']
    assert [entry["delta"]["tool_calls"][0]["index"] for entry in entries[:-1]] == [0, 0, 1, 1, 2, 2]


def test_thinking_stands_on_the_first_call():
    """Each block is told once, when its signature is there; the whole answer has them on its first call."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    told = [{"type": "thinking_delta", "thinking": "h"}, {"type": "thinking_delta", "thinking": "m"}]
    entries, stream = read(
        START,
        *block(0, thinking, *told, {"type": "signature_delta", "signature": "sig"}),
        *block(1, redacted),
        *block(2, tool("f", "a"), *inputs("{}")),
        *block(3, redacted),
        *block(4, tool("g", "b"), *inputs("{}")),
        *ended("tool_use"),
    )
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "sig"}, redacted]
    told = [entry["delta"]["extra_content"] for entry in entries if "extra_content" in entry["delta"]]
    assert [extra["anthropic"]["thinking_blocks"] for extra in told] == [[block] for block in (*blocks, redacted)]
    calls = message(stream)["tool_calls"]
    assert calls[0]["extra_content"] == {"anthropic": {"thinking_blocks": [*blocks, redacted]}}
    assert "extra_content" not in calls[1]
    assert message(stream)["reasoning_content"] == "hm"


def test_thinking_without_calls_stands_on_the_message():
    """As in an answer in one piece."""
    thinking = {"type": "redacted_thinking", "data": "x"}
    entries, stream = read(START, *block(0, thinking), *ended())
    assert [entry["finish_reason"] for entry in entries] == [None, "stop"]
    extra = {"anthropic": {"thinking_blocks": [thinking]}}
    assert message(stream) == {"role": "assistant", "content": "", "refusal": None, "extra_content": extra}


def test_the_stop_sequence_that_was_met_is_told():
    """With the finish, and in the whole answer's choice."""
    said = block(0, {"type": "text", "text": "a"})
    entries, stream = read(START, *said, *ended("stop_sequence", stop_sequence="END"))
    assert entries[-1]["stop_reason"] == "END"
    assert stream.completion().body["choices"][0]["stop_reason"] == "END"


def test_the_stand_in_tool_is_content():
    """JSON mode: its input is the answer; neither a second answer nor words after it are."""
    entries, stream = read(
        START,
        *block(0, tool("router_json_answer"), *inputs('{"a"', ":1}")),
        *block(1, tool("router_json_answer", "t2"), *inputs("{}")),
        *block(2, {"type": "text", "text": ""}, words("done")),
        *ended("tool_use"),
    )
    assert [entry["delta"].get("content") for entry in entries] == ['{"a"', ":1}", None]
    assert entries[-1]["finish_reason"] == "stop"
    assert message(stream)["content"] == '{"a":1}'


def test_a_refusal_after_words_has_no_second_text():
    """The words stay the answer; content_filter says why it ends."""
    entries, stream = read(START, *block(0, {"type": "text", "text": "a"}, words("b")), *ended("refusal"))
    assert entries[-1]["finish_reason"] == "content_filter"
    assert message(stream)["content"] == "ab"
    assert message(stream)["refusal"] is None


def test_what_is_not_known_is_passed_over():
    """New events, blocks and deltas are for the clients that know them."""
    entries, _ = read(
        START,
        {"type": "ping"},
        {"type": "content_block_news", "index": 0},
        *block(0, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, *inputs("{}")),
        *block(1, {"type": "text", "text": ""}, {"type": "citations_delta", "citation": {}}, words("a")),
        *ended(),
    )
    assert [entry["delta"] for entry in entries] == [{"content": "a"}, {}]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", ProviderFailed),
        ("api_error", ProviderFailed),
        ("rate_limit_error", ProviderRateLimited),
        ("authentication_error", ProviderMisconfigured),
        ("unheard_of", ProviderFailed),
    ],
)
def test_error_events(kind, error):
    """Each is classed by its type, at the start and in the midst."""
    news = {"type": "error", "error": {"type": kind, "message": "Overloaded, sk-secret"}}
    for before in ([], [START]):
        with pytest.raises(error) as caught:
            read(*before, news)
        assert "Overloaded" in caught.value.message
        assert "sk-secret" not in caught.value.message


@pytest.mark.parametrize(
    "values",
    [
        [{"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}],
        [{"choices": []}],
        [START, {"type": "content_block_delta", "index": 3, "delta": words("a")}],
        [START, *block(0, {"type": "tool_use", "name": "f"})],
    ],
    ids=["no start", "another dialect", "no block", "no id"],
)
def test_what_is_not_the_dialect_is_malformed(values):
    """JSON that is no Message."""
    with pytest.raises(MalformedAnswer):
        read(*values)


scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3)
contents = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "thinking", "redacted_thinking", "odd"])},
    optional={
        "text": scalars,
        "name": st.sampled_from(["f", "router_json_answer"]) | scalars,
        "id": st.just("t") | scalars,
        "input": st.dictionaries(st.text(max_size=2), scalars, max_size=2) | scalars,
        "thinking": scalars,
        "signature": scalars,
    },
)
deltas = st.fixed_dictionaries(
    {"type": st.sampled_from(["text_delta", "input_json_delta", "thinking_delta", "signature_delta", "odd"])},
    optional=dict.fromkeys(("text", "partial_json", "thinking", "signature"), scalars),
)
events = st.fixed_dictionaries(
    {"type": st.sampled_from([f"content_block_{kind}" for kind in ("start", "delta", "stop")] + ["message_delta"])},
    optional={
        "index": st.integers(0, 2) | scalars,
        "content_block": contents | scalars,
        "delta": deltas | st.fixed_dictionaries({"stop_reason": st.sampled_from(["tool_use", "refusal"]) | scalars}),
        "usage": st.dictionaries(st.sampled_from(sorted(COUNTS)), scalars) | scalars,
    },
)


@given(st.lists(events, max_size=10))
def test_any_events_are_read_or_refused(values):
    """Whatever JSON comes as events, it is read into OpenAI's form or is a ProviderError, and nothing else."""
    try:
        entries, stream = read(START, *values, STOP)
        body = stream.completion().body
    except ProviderError:
        return
    json.dumps(body)
    told = "".join(entry["delta"].get("content", "") for entry in entries)
    assert (body["choices"][0]["message"]["content"] or "") == told
    assert [bool(entry["finish_reason"]) for entry in entries] == [False] * (len(entries) - 1) + [True]
