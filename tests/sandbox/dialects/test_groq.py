"""What Groq does differently from OpenAI."""

import json

import pytest

from tests.sandbox.wire import chat

TOOL = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}


def groq(sandbox, text="hello", /, **fields):
    return chat(sandbox.url, "groq", text, **fields)


def test_completion_has_groqs_fields(sandbox):
    """A completion has x_groq and the times of its usage."""
    answer = groq(sandbox).json
    assert answer["x_groq"]["id"].startswith("req_")
    assert answer["service_tier"] == "on_demand"
    usage = answer["usage"]
    assert usage["total_time"] == usage["prompt_time"] + usage["completion_time"]
    assert usage["queue_time"] > 0
    assert "prompt_tokens_details" not in usage


def test_cached_and_reasoning_tokens_are_told_where_there_are_any(sandbox):
    """The details of usage appear with what they tell."""
    usage = groq(sandbox, sandbox={"cached_tokens": 1, "reasoning_tokens": 3}).json["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 3


def test_stream_has_x_groq_first_and_last(sandbox):
    """The first chunk has the request's id, the last its usage, asked for or not."""
    *chunks, _ = groq(sandbox, stream=True).events()
    assert chunks[0]["x_groq"]["id"].startswith("req_")
    assert chunks[-1]["x_groq"]["usage"]["total_tokens"] == groq(sandbox).json["usage"]["total_tokens"]
    assert not any("x_groq" in chunk for chunk in chunks[1:-1])


def test_streamed_tool_call_comes_whole(sandbox):
    """Groq sends a call's arguments in one piece."""
    *chunks, _ = groq(sandbox, "get_time", tools=[TOOL], stream=True).events()
    deltas = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert [json.loads(delta["function"]["arguments"]) for delta in deltas] == [{}]


@pytest.mark.parametrize(
    "fields",
    [
        {"logprobs": True},
        {"logit_bias": {"1": 1}},
        {"top_logprobs": 2},
        {"n": 2},
        {"messages": [{"role": "user", "content": "x", "name": "kim"}]},
        {"tools": [TOOL], "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
        {"response_format": {"type": "json_object"}},
        {"webhook_url": "x"},
        {"messages": []},
    ],
)
def test_what_groq_does_not_take_is_a_400(sandbox, fields):
    """Fields that Groq documents as unsupported are refused, and so are unknown ones."""
    answer = groq(sandbox, **fields)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_empty_unsupported_fields_are_taken(sandbox):
    """Null stands for not supplied, and n may be one."""
    assert groq(sandbox, n=1, logprobs=None).status == 200
