"""Anthropic's Messages API on the wire."""

import json

import pytest

from tests.sandbox.wire import ANTHROPIC, chat, chat_body, send

WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CLOCK = {"name": "get_time", "input_schema": {"type": "object"}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}
HELLO = {"role": "user", "content": "hello"}


def anthropic(sandbox, text="hello", /, **fields):
    return chat(sandbox.url, "anthropic", text, **fields)


def named_events(answer):
    """Each event's name with its data."""
    frames = [frame.split("\n") for frame in answer.body.decode().strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in frames]


def test_message_has_anthropics_fields(sandbox):
    """A message has its id, role, content blocks, stop reason and usage."""
    answer = anthropic(sandbox)
    message = answer.json
    assert message["id"].startswith("msg_")
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "model-1")
    assert message["content"] == [{"type": "text", "text": "[sandbox anthropic/model-1] You said: hello"}]
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)
    assert answer.headers["request-id"].startswith("req_")


def test_cached_tokens_stand_beside_the_input(sandbox):
    """Anthropic's input tokens leave out what was read from the cache; thinking is part of the output."""
    usage = anthropic(sandbox, "x" * 40, sandbox={"cached_tokens": 4, "reasoning_tokens": 3}).json["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (6, 4)
    assert usage["output_tokens_details"]["thinking_tokens"] == 3
    assert usage["output_tokens"] > 3


def test_max_tokens_and_stop_sequences_have_their_reasons(sandbox):
    """The reason is max_tokens, or stop_sequence with the sequence."""
    cut = anthropic(sandbox, max_tokens=2).json
    stopped = anthropic(sandbox, stop_sequences=["You"]).json
    assert (cut["content"][0]["text"], cut["stop_reason"]) == ("[sandbox", "max_tokens")
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", "You")


def test_tool_use_round_trip(sandbox):
    """A named tool is used with an input object; its result is answered with text."""
    used = anthropic(sandbox, "get_weather", tools=[WEATHER]).json
    block = used["content"][0]
    assert (block["type"], block["input"], used["stop_reason"]) == ("tool_use", {"city": "sample city"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": block["id"], "content": [{"type": "text", "text": "sunny"}]}
    turns = [HELLO, {"role": "assistant", "content": used["content"]}, {"role": "user", "content": [result]}]
    answered = anthropic(sandbox, messages=turns, tools=[WEATHER]).json
    assert answered["content"][0]["text"].endswith("The tool said: sunny")


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "get_time"}, ["get_time"]),
        ({"type": "auto", "disable_parallel_tool_use": True}, []),
    ],
)
def test_tool_choice_is_followed(sandbox, choice, called):
    """Tools are used as the choice demands."""
    content = anthropic(sandbox, tools=[WEATHER, CLOCK], tool_choice=choice).json["content"]
    assert [block["name"] for block in content if block["type"] == "tool_use"] == called


def test_parallel_tool_use_may_be_disabled(sandbox):
    """Several named tools are used at once, or only one."""
    text, tools = "get_weather get_time", [WEATHER, CLOCK]
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    both = anthropic(sandbox, text, tools=tools).json["content"]
    one = anthropic(sandbox, text, tools=tools, tool_choice=choice).json["content"]
    assert (len(both), len(one)) == (2, 1)


def test_structured_output_is_an_instance(sandbox):
    """output_config.format is answered with an instance of its schema."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    answer = anthropic(sandbox, output_config={"format": {"type": "json_schema", "schema": schema}}).json
    assert json.loads(answer["content"][0]["text"]) == {"n": 1}


def test_stream_has_anthropics_events(sandbox):
    """Events come in Anthropic's order; their text joined is the message's."""
    events = named_events(anthropic(sandbox, stream=True))
    names = [name for name, _ in events]
    assert all(name == data["type"] for name, data in events)
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    text = "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta")
    whole = anthropic(sandbox).json
    assert text == whole["content"][0]["text"]
    ending = events[-2][1]
    assert ending["delta"]["stop_reason"] == "end_turn"
    assert ending["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


def test_streamed_tool_use_comes_in_json_deltas(sandbox):
    """Each tool use is a block of its own whose input comes as pieces of JSON."""
    events = named_events(anthropic(sandbox, "get_weather get_time", tools=[WEATHER, CLOCK], stream=True))
    deltas = [data for name, data in events if name == "content_block_delta"]
    inputs = ["".join(d["delta"]["partial_json"] for d in deltas if d["index"] == index) for index in (0, 1)]
    assert [json.loads(text) for text in inputs] == [{"city": "sample city"}, {}]
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"model": 5}, "model: Input should be a valid string"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": "x"}, "messages: Input should be a valid list"),
        ({"messages": [5]}, "messages.0: Input should be a valid dictionary"),
        ({"messages": [{"role": "system", "content": "x"}]}, 'messages: Unexpected role "system".'),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 'messages: first message must use the "user" role'),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0: all messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}, "must be non-empty"),
        ({"messages": [HELLO, {"role": "assistant", "content": "x "}]}, "trailing whitespace"),
        ({"messages": [HELLO, {"role": "assistant", "content": [USE]}]}, "`tool_use` ids were found without"),
        ({"messages": [{"role": "user", "content": [RESULT]}]}, "messages.0.content.0: unexpected `tool_use_id`"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages.0.content.0: Input tag 'video'"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://x"}}]}
                ]
            },
            "Only HTTPS URLs are supported.",
        ),
        (
            {"messages": [HELLO, {"role": "assistant", "content": [{**USE, "input": "{}"}]}]},
            "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
        ),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"stop_sequences": ["\n"]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"n": 2}, "n: Extra inputs are not permitted"),
        ({"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tools": [{"name": "x", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Field required"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.custom.name: String should match"),
        ({"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools"),
        ({"tools": [CLOCK], "tool_choice": {"type": "tool", "name": "other"}}, "Tool 'other' not found"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"system": 5}, "system: Input should be a valid list"),
    ],
)
def test_what_anthropic_refuses_is_a_400(sandbox, fields, told):
    """Well-known refusals come as invalid_request_error with the path of what is wrong."""
    answer = anthropic(sandbox, **fields)
    assert answer.status == 400
    assert answer.json["type"] == "error"
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert told in answer.json["error"]["message"]
    assert answer.json["request_id"] == answer.headers["request-id"]


def test_missing_max_tokens_is_refused(sandbox):
    """max_tokens is required."""
    body = chat_body("anthropic")
    del body["max_tokens"]
    answer = send(sandbox.url, ANTHROPIC, body)
    assert (answer.status, answer.json["error"]["message"]) == (400, "max_tokens: Field required")


def test_missing_version_is_refused(sandbox):
    """The anthropic-version header is required."""
    answer = send(sandbox.url, ANTHROPIC, chat_body("anthropic"), headers={"x-api-key": "k"})
    assert (answer.status, answer.json["error"]["message"]) == (400, "anthropic-version: header is required")


def test_unknown_version_is_refused(sandbox):
    """The anthropic-version header names one of the API's versions."""
    headers = {"x-api-key": "k", "anthropic-version": "2024-01-01"}
    assert send(sandbox.url, ANTHROPIC, chat_body("anthropic"), headers=headers).status == 400


def test_key_may_be_a_bearer_token(sandbox):
    """Newer clients send the key as a bearer token; where both are sent, x-api-key counts."""
    version = {"anthropic-version": "2026-10-21"}
    token = {"Authorization": "Bearer k"}
    body = chat_body("anthropic")
    assert send(sandbox.url, ANTHROPIC, body, headers=version | token).status == 200
    assert send(sandbox.url, ANTHROPIC, body, headers=version | token | {"x-api-key": "bad"}).status == 401


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
        ({"top_p": 1}, "top_p: Extra inputs are not permitted"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "citations": [{}]}]}]},
            "messages.0.content.0: `citations`",
        ),
        (
            {"messages": [HELLO, {"role": "assistant", "content": [{"type": "document", "source": {}}]}, HELLO]},
            "messages.1.content.0: `document`",
        ),
    ],
)
def test_newer_version_takes_less(sandbox, fields, told):
    """What version 2026-10-21 refuses, 2023-06-01 takes."""
    body = chat_body("anthropic", **fields)
    newer = {"x-api-key": "k", "anthropic-version": "2026-10-21"}
    refused = send(sandbox.url, ANTHROPIC, body, headers=newer)
    assert refused.status == 400
    assert told in refused.json["error"]["message"]
    assert send(sandbox.url, ANTHROPIC, body).status == 200


@pytest.mark.parametrize(
    ("fields", "oldest"),
    [
        ({"temperature": 0.5}, "claude-sonnet-4-7"),
        ({"messages": [HELLO, {"role": "assistant", "content": "I say"}]}, "claude-opus-4-6"),
    ],
)
def test_newer_models_take_less(sandbox, fields, oldest):
    """Sampling is refused since Claude 4.7, prefilled answers since 4.6, dated names or not."""
    for model in (oldest, "claude-sonnet-5", "claude-opus-5-5"):
        assert anthropic(sandbox, model=model, **fields).status == 400
    for model in ("claude-sonnet-4-5-20250929", "claude-3-7-sonnet-20250219", "claude-haiku-4-5"):
        assert anthropic(sandbox, model=model, **fields).status == 200


def test_models_are_listed(sandbox):
    """The list of models is a page."""
    page = send(sandbox.url, "/anthropic/v1/models", method="GET").json
    assert page["has_more"] is False
    assert page["first_id"] == page["data"][0]["id"]
    assert send(sandbox.url, "/anthropic/v1/models/claude-haiku-4-5", method="GET").json["type"] == "model"
