"""Claims about Anthropic's native dialect: requests, answers and errors as platform.claude.com documents them."""

import json

import pytest

from routing.errors import (
    ContextLengthExceeded,
    KeyRefused,
    MalformedAnswer,
    NotExpressible,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
)
from workers.providers.anthropic import AnthropicProvider
from workers.providers.anthropic_request import DEFAULT_MAX_TOKENS, JSON_TOOL
from workers.providers.base import Account, Reply

ACCOUNT = {"name": "anthropic", "endpoint": "https://api.anthropic.com", "api_key": "sk-ant"}
CLAUDE = AnthropicProvider(Account(**ACCOUNT))
OLDER = AnthropicProvider(Account(**ACCOUNT, headers={"Anthropic-Version": "2023-06-01"}))
HELLO = [{"role": "user", "content": "Hello!"}]
WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather", "parameters": {"type": "object"}},
}
TIME = {"type": "function", "function": {"name": "get_time", "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}


def sent(model="claude-sonnet-5", provider=CLAUDE, **request):
    return json.loads(provider.call(model, {"messages": HELLO, **request}).body)


def answered(body, status=200, headers=None):
    return CLAUDE.completion("claude-sonnet-5", Reply(status, headers or {}, json.dumps(body).encode()))


def message(*blocks, stop_reason="end_turn", **fields):
    usage = {"input_tokens": 10, "output_tokens": 5}
    return {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": list(blocks),
            "stop_reason": stop_reason, "stop_sequence": None, "usage": usage, **fields}  # fmt: skip


def test_call():
    """The smallest request has a stated ceiling, the API's version and the key in its header."""
    call = CLAUDE.call("claude-sonnet-5", {"model": "x", "messages": HELLO})
    assert call.url == "https://api.anthropic.com/v1/messages"
    assert (call.headers["x-api-key"], call.headers["anthropic-version"]) == ("sk-ant", "2026-10-21")
    assert json.loads(call.body) == {
        "model": "claude-sonnet-5",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello!"}]}],
        "max_tokens": DEFAULT_MAX_TOKENS,
    }


def test_fields():
    """Length, stop sequences and the caller's label have their words; hints are left out; the rest passes."""
    body = sent(max_tokens=9, stop="END", user="u1", temperature=0.3, seed=4, logit_bias={}, top_k=3, sandbox={"a": 1})
    del body["messages"]
    assert body == {
        "model": "claude-sonnet-5",
        "max_tokens": 9,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u1"},
        "sandbox": {"a": 1},
    }


def test_sampling_of_the_older_version():
    """With the older API version asked for, sampling is said in its range, one of two fields at a time."""
    body = sent("claude-sonnet-4-5", OLDER, temperature=1.7, top_p=0.5, top_k=3)
    assert (body["temperature"], body["top_k"], "top_p" in body) == (1, 3, False)
    assert sent("claude-sonnet-4-5", OLDER, top_p=0.5)["top_p"] == 0.5


@pytest.mark.parametrize(
    "asked",
    [
        {"n": 2},
        {"logprobs": True},
        {"audio": {"voice": "x"}},
        {"stop": [" "]},
        {"messages": []},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
        {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "http://x/"}}]}]},
        {"tool_choice": "required"},
        {"response_format": {"type": "grammar"}},
    ],
)
def test_refused(asked):
    """What Anthropic has no words for is refused, naming the field."""
    with pytest.raises(NotExpressible) as caught:
        sent(**asked)
    assert caught.value.param in asked


def test_conversation():
    """Turns alternate, system texts are one prompt, results come first in the user's turn."""
    body = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Rome?"},
            {"role": "user", "content": "Now?"},
            {"role": "assistant", "content": "Looking.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "developer", "content": [{"type": "text", "text": "In French."}]},
            {"role": "user", "content": "And?"},
        ]
    )
    assert body["system"] == [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "In French."}]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Rome?"}, {"type": "text", "text": "Now?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Rome"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "sunny"}]},
                {"type": "text", "text": "And?"},
            ],
        },
    ]


def test_foreign_call_ids():
    """An id Anthropic does not allow becomes one it does, the same in a call and its result."""
    call = {**CALL, "id": "functions.get_weather:0"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": ""}
    turns = sent(messages=[*HELLO, {"role": "assistant", "tool_calls": [call]}, result])["messages"]
    made, given = turns[1]["content"][0]["id"], turns[2]["content"][0]["tool_use_id"]
    assert made == given
    assert made.startswith("functions_get_weather_0_")


def test_media():
    """Pictures go by URL or as base64; a PDF is a document."""
    parts = [
        {"type": "image_url", "image_url": {"url": "https://x.test/cat.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
    ]
    assert sent(messages=[{"role": "user", "content": parts}])["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://x.test/cat.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
    ]


def test_tools():
    """A tool has an input schema, an empty one where it takes nothing; Anthropic's own tools pass."""
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert sent(tools=[WEATHER, TIME, search])["tools"] == [
        {"name": "get_weather", "input_schema": {"type": "object"}, "description": "The weather"},
        {"name": "get_time", "input_schema": {"type": "object", "properties": {}}, "strict": True},
        search,
    ]


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, None),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, {"type": "tool", "name": "get_time"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"tool_choice": "required", "parallel_tool_calls": False},
            {"type": "any", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice(asked, choice):
    """Tool choice and parallel calls share one object."""
    assert sent(tools=[WEATHER, TIME], **asked).get("tool_choice") == choice


def test_json_schema():
    """A JSON schema is closed, and what the grammar does not know is told in the description."""
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 0, "description": "In years"}},
        "$defs": {"x": {"oneOf": [{"type": "string", "format": "date"}, {"type": "array", "items": {"type": "null"}}]}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert sent(response_format=wanted)["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"age": {"type": "integer", "description": 'In years\n\n{"minimum":0}'}},
                "$defs": {
                    "x": {"anyOf": [{"type": "string", "format": "date"}, {"type": "array", "items": {"type": "null"}}]}
                },
                "additionalProperties": False,
            },
        }
    }


def test_deep_schema():
    """A schema nested without end is refused, not a stack overflow."""
    schema = {}
    for _ in range(400):
        schema = {"items": schema}
    with pytest.raises(NotExpressible, match="nested deeper"):
        sent(response_format={"type": "json_schema", "json_schema": {"schema": schema}})


def test_json_mode():
    """JSON mode is a tool the model must call, whose input is the answer's text."""
    body = sent(response_format={"type": "json_object"})
    assert body["tool_choice"] == {"type": "tool", "name": JSON_TOOL}
    assert [tool["name"] for tool in body["tools"]] == [JSON_TOOL]
    use = {"type": "tool_use", "id": "toolu_1", "name": JSON_TOOL, "input": {"a": 1}}
    (choice,) = answered(message(use, stop_reason="tool_use")).body["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", '{"a":1}')
    assert "tool_calls" not in choice["message"]


def test_json_mode_beside_tools():
    """Beside the caller's tools, JSON mode leaves the choice between them and the answer."""
    body = sent(response_format={"type": "json_object"}, tools=[WEATHER])
    assert body["tool_choice"] == {"type": "any"}
    assert [tool["name"] for tool in body["tools"]] == ["get_weather", JSON_TOOL]


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        ("claude-sonnet-5", "high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("claude-opus-4-6", "max", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
        ("claude-sonnet-5", "none", {"output_config": {"effort": "low"}}),
        ("claude-haiku-4-5-20251001", "medium", {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        ("claude-haiku-4-5", "none", {}),
        ("claude-3-5-haiku-20241022", "high", {}),
        ("claude-opus-4-20250514", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("claude-next", "low", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ],
)
def test_reasoning_effort(model, effort, fields):
    """An effort is an effort since Claude 4.6 and a budget before."""
    body = sent(model, reasoning_effort=effort)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == fields


def test_budget_keeps_within_the_length():
    """A thinking budget stays below the asked-for length, or is not set; without one the length makes room."""
    assert sent("claude-haiku-4-5", reasoning_effort="high", max_tokens=2000)["thinking"]["budget_tokens"] == 1999
    assert "thinking" not in sent("claude-haiku-4-5", reasoning_effort="high", max_tokens=500)
    roomy = sent("claude-haiku-4-5", reasoning_effort="max")
    assert roomy["max_tokens"] > roomy["thinking"]["budget_tokens"] == 32_768


def test_thinking_is_ruled_out():
    """A forced tool, or a tool loop that began without thinking, has none; the caller's own setting stands."""
    assert "thinking" not in sent(reasoning_effort="high", tools=[TIME], tool_choice="required")
    result = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    loop = [*HELLO, {"role": "assistant", "tool_calls": [CALL]}, result]
    assert "thinking" not in sent("claude-haiku-4-5", reasoning_effort="high", messages=loop)
    assert sent(reasoning_effort="high", thinking={"type": "disabled"})["thinking"] == {"type": "disabled"}


def test_answer():
    """Anthropic's documented answer becomes a chat completion; its cache counts within the prompt."""
    usage = {
        "input_tokens": 2095, "output_tokens": 503, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 51,
        "output_tokens_details": {"thinking_tokens": 400},
    }  # fmt: skip
    completion = answered(
        message({"type": "text", "text": "Hi! "}, {"type": "text", "text": "I'm Claude."}, usage=usage)
    )
    body = completion.body
    assert (body["id"], body["model"], body["object"]) == ("msg_01", "claude-sonnet-5", "chat.completion")
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi! I'm Claude.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    counts = completion.usage
    assert (counts.prompt_tokens, counts.completion_tokens) == (2246, 503)
    assert (counts.cached_tokens, counts.reasoning_tokens) == (51, 400)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("never_heard_of", "stop"),
        (None, "stop"),
    ],
)
def test_finish_reasons(theirs, ours):
    """A stop reason is one of OpenAI's finish reasons."""
    answer = answered(message({"type": "text", "text": "x"}, stop_reason=theirs))
    assert answer.body["choices"][0]["finish_reason"] == ours


def test_refusal():
    """A refusal is said in `refusal`, with what the API tells of it."""
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    (choice,) = answered(message(stop_reason="refusal", stop_details=details)).body["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == (None, "Not this.")


def test_thinking_survives_a_round_trip():
    """Thinking is reasoning to the caller, and comes back to Anthropic unchanged with the tool call."""
    blocks = [
        {"type": "thinking", "thinking": "Rome it is.", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}},
    ]
    (choice,) = answered(message(*blocks, stop_reason="tool_use")).body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["reasoning_content"] == "Rome it is."
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"}
    body = sent("claude-haiku-4-5", messages=[*HELLO, choice["message"], result], reasoning_effort="low")
    assert body["messages"][1]["content"] == blocks
    assert body["thinking"]["type"] == "enabled"


def test_thinking_without_calls_survives_too():
    """A plain answer carries its signed thinking on the message, and it comes back to Anthropic unchanged."""
    blocks = [
        {"type": "thinking", "thinking": "Rome it is.", "signature": "EqQB"},
        {"type": "text", "text": "Rome."},
    ]
    (choice,) = answered(message(*blocks)).body["choices"]
    assert choice["message"]["extra_content"] == {"anthropic": {"thinking_blocks": blocks[:1]}}
    body = sent("claude-haiku-4-5", messages=[*HELLO, choice["message"], *HELLO])
    assert body["messages"][1]["content"] == blocks


def test_the_stop_sequence_that_was_met_is_told():
    """The choice names the sequence as vLLM does; without one it says nothing of it."""
    (choice,) = answered(message({"type": "text", "text": "x"}, stop_reason="stop_sequence", stop_sequence="END")).body[
        "choices"
    ]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", "END")
    assert "stop_reason" not in answered(message({"type": "text", "text": "x"})).body["choices"][0]


def test_what_only_anthropic_understands_has_a_field():
    """The field `anthropic` goes before what is translated, takes known names only and does not leave itself."""
    native = {"thinking": {"type": "adaptive"}, "cache_control": {"type": "ephemeral"}, "top_k": 5, "messages": []}
    body = sent(reasoning_effort="low", anthropic=native)
    assert (body["thinking"], body["cache_control"]) == (native["thinking"], native["cache_control"])
    assert body["messages"]
    assert not {"anthropic", "output_config", "top_k"} & body.keys()
    assert "thinking" not in sent(anthropic="junk")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"type": "message"},
        {"type": "error", "error": {}},
        message({"type": "tool_use", "id": "x", "input": {}}),
    ],
)
def test_malformed(body):
    """A 200 that is no Message is malformed."""
    with pytest.raises(MalformedAnswer):
        answered(body)


@pytest.mark.parametrize(
    ("status", "kind_of_error", "kind"),
    [
        (400, "invalid_request_error", ProviderRefused),
        (401, "authentication_error", KeyRefused),
        (402, "billing_error", KeyRefused),
        (403, "permission_error", KeyRefused),
        (404, "not_found_error", ProviderMisconfigured),
        (413, "request_too_large", ContextLengthExceeded),
        (429, "rate_limit_error", ProviderRateLimited),
        (500, "api_error", ProviderFailed),
        (529, "overloaded_error", ProviderFailed),
    ],
)
def test_errors(status, kind_of_error, kind):
    """Each of Anthropic's documented errors has its class, and its wait."""
    body = {"type": "error", "error": {"type": kind_of_error, "message": "no"}, "request_id": "req_1"}
    with pytest.raises(kind) as caught:
        answered(body, status, {"retry-after": "11"})
    assert type(caught.value) is kind
    assert caught.value.retry_after_s == 11
