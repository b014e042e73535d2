"""Claims about the OpenAI-compatible dialect: requests, answers and errors as vendors document them."""

import json

import pytest

from routing.errors import (
    ContextLengthExceeded,
    KeyRefused,
    MalformedAnswer,
    ProviderFailed,
    ProviderRateLimited,
    ProviderRefused,
)
from routing.request_fields import ROUTER_FIELDS
from workers.providers.base import Account, Reply
from workers.providers.openai import OpenAIProvider

HELLO = [{"role": "user", "content": "Hello!"}]

# The example of OpenAI's API reference, shortened.
ANSWER = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-4.1-2025-04-14",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
    },
    "service_tier": "default",
}


def provider(endpoint="https://example.test/v1", **account):
    return OpenAIProvider(Account(name="openai", endpoint=endpoint, api_key="sk-test", **account))


def sent(request, endpoint="https://example.test/v1"):
    return json.loads(provider(endpoint).call("gpt-4.1", {"model": "asked", "messages": HELLO, **request}).body)


def answered(body, status=200, headers=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return provider().completion("gpt-4.1", Reply(status, headers or {}, raw))


def with_choice(**choice):
    return {**ANSWER, "choices": [{**ANSWER["choices"][0], **choice}]}


def test_call():
    """A call goes to the chat URL with the key as a bearer and the upstream's model."""
    call = provider(headers={"X-Title": "mine", "Accept": "text/html"}).call("gpt-4.1", {"messages": HELLO})
    assert call.url == "https://example.test/v1/chat/completions"
    assert call.headers == {
        "content-type": "application/json",
        "accept": "text/html",
        "authorization": "Bearer sk-test",
        "x-title": "mine",
    }
    assert json.loads(call.body) == {"model": "gpt-4.1", "messages": HELLO}


def test_no_key_no_header():
    """An account without a key sends none."""
    local = OpenAIProvider(Account(name="ollama", endpoint="http://127.0.0.1:11434"))
    assert "authorization" not in local.call("llama", {"messages": HELLO}).headers


def test_router_fields_stay_home():
    """The router's own fields never reach a provider; every other field does, known or not."""
    ours = dict.fromkeys(ROUTER_FIELDS, "x")
    theirs = {"temperature": 0.1, "logit_bias": {"1": 2}, "never_heard_of": {"a": [1]}, "sandbox": {"text": "hi"}}
    assert sent({**ours, **theirs}) == {"model": "gpt-4.1", "messages": HELLO, **theirs}


def test_the_request_is_not_changed():
    """Translating leaves the caller's request as it was: another provider may need it."""
    messages = [{"role": "developer", "content": "x", "reasoning_content": "y"}]
    request = {"messages": messages, "max_tokens": 3}
    before = json.dumps(request)
    provider("https://api.openai.com/v1").call("m", request)
    assert json.dumps(request) == before


def test_history_is_cleared_of_what_the_router_added():
    """Reasoning and foreign signatures of an earlier answer are not sent to a vendor that would refuse them."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [{**call, "extra_content": {"google": {"thought_signature": "s"}}}],
        },
    ]
    assert sent({"messages": history})["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]


def test_vendors_get_back_what_they_want_back():
    """DeepSeek gets its reasoning back, and Google's OpenAI endpoint its signatures."""
    message = {"role": "assistant", "content": "x", "reasoning_content": "hm", "extra_content": {"google": {}}}
    (deepseek,) = sent({"messages": [message]}, "https://api.deepseek.com")["messages"]
    (google,) = sent({"messages": [message]}, "https://generativelanguage.googleapis.com/v1beta/openai")["messages"]
    assert deepseek == {"role": "assistant", "content": "x", "reasoning_content": "hm"}
    assert google == {"role": "assistant", "content": "x", "extra_content": {"google": {}}}


@pytest.mark.parametrize(
    ("host", "field"),
    [("api.openai.com", "max_completion_tokens"), ("api.mistral.ai", "max_tokens")],
)
def test_length_field(host, field):
    """The ceiling of an answer goes under the one name its vendor knows."""
    for asked in ("max_tokens", "max_completion_tokens"):
        body = sent({asked: 7}, f"https://{host}/v1")
        assert {name: body[name] for name in body if name.startswith("max_")} == {field: 7}


@pytest.mark.parametrize(
    ("host", "options"),
    [("llm.example.com", {"include_usage": True}), ("api.mistral.ai", None)],
)
def test_a_streaming_call(host, options):
    """Usage is always asked for, but where the vendor refuses the question; the caller's own options are ours."""
    body = sent({"stream": True, "stream_options": {"include_usage": False, "x": 1}}, f"https://{host}/v1")
    assert body["stream"] is True
    assert body.get("stream_options") == options
    assert not {"stream", "stream_options"} & sent({"stream": False}, f"https://{host}/v1").keys()


def test_answer():
    """OpenAI's own answer passes as it is, and its usage is counted with the parts within."""
    completion = answered(ANSWER)
    assert completion.body == ANSWER
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens) == (19, 10, 4, 3)


def test_foreign_tier():
    """A tier that is not one of OpenAI's is not passed on."""
    assert "service_tier" not in answered({**ANSWER, "service_tier": "on_demand"}).body


def test_reasoning_has_one_name():
    """Reasoning is `reasoning_content`, also where the vendor says `reasoning`."""
    (choice,) = answered(with_choice(message={"role": "assistant", "content": "4", "reasoning": "2+2"})).body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "4", "refusal": None, "reasoning_content": "2+2"}


def test_parts_become_text():
    """Mistral's content in parts becomes text and reasoning."""
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]}, {"type": "text", "text": "4"}]
    (choice,) = answered(with_choice(message={"content": content})).body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "4", "refusal": None, "reasoning_content": "2+2"}


def test_required_nulls_are_told():
    """OpenAI requires `content`, `refusal` and `logprobs`, null or not; vendors that leave them out are completed."""
    body = with_choice(message={"role": "assistant"}).copy()
    body["choices"] = [{name: value for name, value in body["choices"][0].items() if name != "logprobs"}]
    (choice,) = answered(body).body["choices"]
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert choice["logprobs"] is None


def test_what_clients_add_is_taken_out():
    """An answer goes back as OpenAI's client dumps it: without numbers, parsed values and nulls on the wire."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    dumped = {**call, "index": 0, "function": {**call["function"], "parsed_arguments": None}}
    nulls = dict.fromkeys(("refusal", "annotations", "audio", "function_call", "parsed"))
    said = {"role": "assistant", "content": None, **nulls, "tool_calls": [dumped]}
    result = {"role": "tool", "tool_call_id": "c", "content": "x"}
    bare = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert sent({"messages": [*HELLO, said, result]})["messages"][-2:] == [bare, result]
    assert dumped["index"] == 0


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stop", "stop"), ("eos", "stop"), (None, "stop"), ("model_length", "length"), ("content_filter",) * 2],
)
def test_finish_reasons(theirs, ours):
    """A finish reason is one of OpenAI's words."""
    assert answered(with_choice(finish_reason=theirs)).body["choices"][0]["finish_reason"] == ours


def test_tool_calls():
    """Tool calls end with `tool_calls` and hold their arguments as text, whatever the vendor wrote."""
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}]
    (choice,) = answered(with_choice(message={"content": None, "tool_calls": calls})).body["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert (call["type"], call["function"]) == ("function", {"name": "f", "arguments": '{"a":1}'})
    assert call["id"].startswith("call_")


def test_usage_of_other_vendors():
    """DeepSeek's cache and xAI's separate reasoning are counted in OpenAI's way."""
    cached = answered({**ANSWER, "usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}})
    assert cached.usage.cached_tokens == 8
    details = {"completion_tokens_details": {"reasoning_tokens": 30}}
    apart = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, **details}
    assert answered({**ANSWER, "usage": apart}).usage.completion_tokens == 35


def test_nan_is_null():
    """A log probability that is no JSON number becomes null, so that the caller can read the answer."""
    raw = json.dumps(with_choice(logprobs={"content": [{"token": "a", "logprob": float("nan")}]})).encode()
    assert b"NaN" in raw
    assert answered(raw).body["choices"][0]["logprobs"]["content"][0]["logprob"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        {},
        {"choices": []},
        {"choices": [1]},
        {"choices": [{"message": None}]},
        with_choice(message={"content": 7}),
        with_choice(message={"content": None, "tool_calls": [{"function": {}}]}),
    ],
)
def test_malformed_answers(body):
    """A 200 that is no chat completion is a malformed answer."""
    with pytest.raises(MalformedAnswer):
        answered(body)


def test_error_within_a_200():
    """An error that a vendor wrote into its 200 is that error (OpenRouter)."""
    with pytest.raises(ProviderRateLimited, match="slow down"):
        answered({"error": {"code": 429, "message": "slow down"}})
    with pytest.raises(ProviderFailed):
        answered(with_choice(finish_reason="error", error={"code": 502, "message": "upstream"}))


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages",
                         "code": "context_length_exceeded"}}, ContextLengthExceeded, "too long"),
        (400, {"object": "error", "message": "flat", "type": "BadRequestError", "code": 400}, ProviderRefused, "flat"),
        (422, {"detail": "Unprocessable"}, ProviderRefused, "Unprocessable"),
        (401, {"error": "Invalid username or password."}, KeyRefused, "Invalid username"),
        (502, b"<html>Bad gateway</html>", ProviderFailed, "openai answered 502"),
        (429, {"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}},
         KeyRefused, "quota"),
    ],
)  # fmt: skip
def test_errors(status, body, kind, words):
    """Each vendor's error form is read: OpenAI's, vLLM's, FastAPI's, a bare string, and none at all."""
    with pytest.raises(kind, match=words) as caught:
        answered(body, status)
    assert type(caught.value) is kind


def test_loading_model():
    """Hugging Face's estimate of a model's loading time is a wait."""
    with pytest.raises(ProviderFailed) as caught:
        answered({"error": "loading", "estimated_time": 20.5}, 503)
    assert caught.value.retry_after_s == 20.5
