"""Claims about Gemini's native dialect: requests, answers and errors as ai.google.dev documents them."""

import json

import pytest

from routing.errors import (
    KeyRefused,
    MalformedAnswer,
    NotExpressible,
    ProviderFailed,
    ProviderRateLimited,
    ProviderRefused,
)
from workers.providers.base import Account, Reply
from workers.providers.gemini import GeminiProvider
from workers.providers.gemini_messages import FOREIGN_SIGNATURE

GEMINI = GeminiProvider(
    Account(name="google-gemini", endpoint="https://generativelanguage.googleapis.com/v1beta", api_key="AIza")
)
HELLO = [{"role": "user", "content": "Hello!"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}


def sent(model="gemini-2.5-flash", **request):
    return json.loads(GEMINI.call(model, {"messages": HELLO, **request}).body)


def generation(model="gemini-2.5-flash", **request):
    return sent(model, **request).get("generationConfig")


def answered(body, status=200, headers=None):
    return GEMINI.completion("gemini-2.5-flash", Reply(status, headers or {}, json.dumps(body).encode()))


def with_parts(*parts, reason="STOP", **candidate):
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": reason, **candidate}]}


def test_call():
    """The smallest request is one turn, with the key in a header and not in the URL."""
    call = GEMINI.call("gemini-2.5-flash", {"model": "x", "messages": HELLO, "stream": False})
    assert call.url.endswith("/v1beta/models/gemini-2.5-flash:generateContent")
    assert call.headers["x-goog-api-key"] == "AIza"
    assert json.loads(call.body) == {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}


def test_sampling():
    """Every sampling field Gemini has a word for is said in it."""
    asked = {
        "temperature": 0.2, "top_p": 0.9, "top_k": 5, "presence_penalty": 0.1, "frequency_penalty": 0.2, "seed": 7,
        "max_completion_tokens": 50, "n": 2, "logprobs": True, "top_logprobs": 3, "stop": "END",
    }  # fmt: skip
    assert generation(**asked) == {
        "temperature": 0.2, "topP": 0.9, "topK": 5, "presencePenalty": 0.1, "frequencyPenalty": 0.2, "seed": 7,
        "maxOutputTokens": 50, "candidateCount": 2, "responseLogprobs": True, "logprobs": 3, "stopSequences": ["END"],
    }  # fmt: skip


def test_nulls_and_a_long_seed():
    """A null asks for nothing, and a seed beyond int32 is folded into it."""
    assert generation(temperature=None, stop=None, logprobs=False, top_logprobs=0) is None
    assert generation(seed=2**31 + 5) == {"seed": 5}


def test_dropped_and_passed():
    """Labels and hints are left out; what OpenAI does not know passes at top level."""
    body = sent(user="u", logit_bias={"1": 2}, verbosity="low", sandbox={"text": "x"}, safetySettings=[])
    assert set(body) == {"contents", "sandbox", "safetySettings"}
    assert generation(temperature=1, generationConfig={"topK": 3}) == {"temperature": 1, "topK": 3}


@pytest.mark.parametrize(
    "asked",
    [
        {"audio": {"voice": "x"}},
        {"modalities": ["audio"]},
        {"functions": [{"name": "f"}]},
        {"tools": [TIME], "parallel_tool_calls": False},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"tool_choice": "required"},
        {"response_format": {"type": "grammar"}},
        {"messages": []},
        {"messages": [{"role": "system", "content": "Be brief."}]},
        {"messages": [{"role": "function", "name": "f", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc"}}]}]},
        {"messages": [{"role": "tool", "tool_call_id": "nobody", "content": "x"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "["}}]}]},
    ],
)
def test_refused(asked):
    """What Gemini has no words for is refused, naming the field."""
    with pytest.raises(NotExpressible) as caught:
        sent(**asked)
    assert caught.value.param in asked


def test_parallel_tool_calls_without_tools():
    """`parallel_tool_calls: false` asks for nothing where there are no tools."""
    assert "toolConfig" not in sent(parallel_tool_calls=False)


def test_conversation():
    """System texts become one instruction; calls and results keep their turns, names and ids."""
    body = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Rome?", "name": "Ann"},
            {"role": "user", "content": [{"type": "text", "text": "And the time?"}]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"sun": true}'},
            {"role": "developer", "content": "In French."},
            {"role": "user", "content": ""},
            {"role": "user", "content": "Now?"},
        ]
    )
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "In French."}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "Rome?"}, {"text": "And the time?"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "get_weather", "args": {"city": "Rome"}, "id": "c1"}}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"output": '{"sun": true}'}}}
            ],
        },
        {"role": "user", "parts": [{"text": "Now?"}]},
    ]


def test_media():
    """A data URL goes inline, an http URL as file data with the type its name tells, sound inline."""
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR"}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg%3E", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/cat.JPG?size=1"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/cat"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}},
    ]
    assert sent(messages=[{"role": "user", "content": parts}])["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBOR"}},
        {"inlineData": {"mimeType": "image/svg+xml", "data": "PHN2Zz4="}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/cat.JPG?size=1"}},
        {"fileData": {"fileUri": "https://x.test/cat"}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "UklG"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
    ]


def test_tools():
    """A tool is a declaration with its own JSON schema; Gemini's own tools pass."""
    body = sent(tools=[WEATHER, TIME, {"googleSearch": {}}])
    parameters = WEATHER["function"]["parameters"]
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "get_weather", "description": "The weather", "parametersJsonSchema": parameters},
                {"name": "get_time"},
            ]
        },
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "get_time"}},
            {"mode": "ANY", "allowedFunctionNames": ["get_time"]},
        ),
    ],
)
def test_tool_choice(choice, calling):
    """A tool choice is a function calling mode."""
    assert sent(tools=[WEATHER, TIME], tool_choice=choice)["toolConfig"] == {"functionCallingConfig": calling}


def test_allowed_tools():
    """Allowed tools are the only ones declared."""
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]}
    body = sent(tools=[WEATHER, TIME], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert body["tools"] == [{"functionDeclarations": [{"name": "get_time"}]}]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_response_format():
    """JSON mode is a MIME type; a JSON schema goes along as it is."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert generation(response_format={"type": "text"}) is None
    assert generation(response_format={"type": "json_object"}) == {"responseMimeType": "application/json"}
    assert generation(response_format=wanted) == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash", "low", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 24_576, "includeThoughts": True}),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "minimal", "includeThoughts": True}),
        ("gemini-3.1-pro-preview", "none", {"thinkingLevel": "low"}),
        ("gemini-4-argon", "minimal", {"thinkingLevel": "low", "includeThoughts": True}),
        ("gemini-flash-latest", "medium", {"thinkingLevel": "medium", "includeThoughts": True}),
    ],
)
def test_reasoning_effort(model, effort, thinking):
    """An effort is a budget to Gemini 2.5 and a level to later models."""
    assert generation(model, reasoning_effort=effort) == {"thinkingConfig": thinking}


def test_no_thinking_before_2_5():
    """A model that cannot think is not asked to."""
    assert generation("gemini-2.0-flash", reasoning_effort="high") is None


def test_answer():
    """Gemini's documented answer becomes a chat completion; thoughts count within the completion."""
    completion = answered(
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"text": "**Thinking**", "thought": True}, {"text": "Hello "}, {"text": "there."}],
                        "role": "model",
                    },
                    "finishReason": "STOP",
                    "index": 0,
                }
            ],
            "usageMetadata": {
                "promptTokenCount": 8, "candidatesTokenCount": 4, "thoughtsTokenCount": 20, "totalTokenCount": 32,
                "cachedContentTokenCount": 6,
            },
            "modelVersion": "gemini-2.5-flash-001",
            "responseId": "mAitaLmkHPPlz7IPvtfUqQ4",
        }
    )  # fmt: skip
    body = completion.body
    assert (body["id"], body["object"], body["model"]) == (
        "mAitaLmkHPPlz7IPvtfUqQ4", "chat.completion", "gemini-2.5-flash-001",
    )  # fmt: skip
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello there.",
                "refusal": None,
                "reasoning_content": "**Thinking**",
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"] == {
        "prompt_tokens": 8,
        "completion_tokens": 24,
        "total_tokens": 32,
        "prompt_tokens_details": {"cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert isinstance(body["created"], int)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("RECITATION", "content_filter"), ("OTHER", "stop"), (None, "stop")],
)
def test_finish_reasons(theirs, ours):
    """A finish reason is one of OpenAI's words."""
    assert answered(with_parts({"text": "x"}, reason=theirs)).body["choices"][0]["finish_reason"] == ours


def test_blocked():
    """A blocked prompt and a blocked answer are refusals with `content_filter`, not failures."""
    for body, word in (
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "SAFETY"),
        ({"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}, "PROHIBITED_CONTENT"),
    ):
        (choice,) = answered(body).body["choices"]
        assert choice["finish_reason"] == "content_filter"
        assert choice["message"]["content"] is None
        assert word in choice["message"]["refusal"]


def test_tool_calls_survive_a_round_trip():
    """A function call ends with `tool_calls`, and its thought signature comes back where it belongs."""
    part = {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}, "thoughtSignature": "c2ln"}
    (choice,) = answered(with_parts(part)).body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city":"Rome"}'}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    body = sent("gemini-3.8-flash", messages=[*HELLO, choice["message"], result])
    assert body["contents"][1]["parts"] == [{**part, "functionCall": {**part["functionCall"], "id": call["id"]}}]
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == "get_weather"


def test_text_signature_survives_a_round_trip():
    """The signature of a text comes back with the text."""
    (choice,) = answered(with_parts({"text": "x", "thoughtSignature": "c2ln"})).body["choices"]
    body = sent(messages=[*HELLO, choice["message"]])
    assert body["contents"][1]["parts"] == [{"text": "x", "thoughtSignature": "c2ln"}]


@pytest.mark.parametrize(("model", "signed"), [("gemini-2.5-flash", False), ("gemini-3.8-flash", True)])
def test_calls_of_another_model(model, signed):
    """Gemini 3 is told that a call without a signature is another model's."""
    body = sent(model, messages=[*HELLO, {"role": "assistant", "tool_calls": [CALL]}])
    assert (body["contents"][1]["parts"][0].get("thoughtSignature") == FOREIGN_SIGNATURE) is signed


def test_logprobs():
    """Chosen and top candidates become OpenAI's log probabilities."""
    chosen = {"token": "Hé", "logProbability": -0.5}
    result = {"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen]}]}
    (choice,) = answered(with_parts({"text": "Hé"}, logprobsResult=result)).body["choices"]
    token = {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169]}
    assert choice["logprobs"] == {"content": [{**token, "top_logprobs": [token]}], "refusal": None}


def test_pictures_in_an_answer():
    """A picture Gemini draws is a data URL in OpenRouter's field."""
    (choice,) = answered(with_parts({"inlineData": {"mimeType": "image/png", "data": "iVBOR"}})).body["choices"]
    assert choice["message"]["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR"}}]


@pytest.mark.parametrize("body", [{}, [], "x", {"candidates": []}, with_parts(reason="MALFORMED_FUNCTION_CALL")])
def test_malformed(body):
    """A 200 without an answer is malformed, and so is a model that broke its own form."""
    with pytest.raises(MalformedAnswer):
        answered(body)


BAD_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
        ],
    }
}
EXHAUSTED = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"},
        ],
    }
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait_s"),
    [
        (400, BAD_KEY, KeyRefused, None),
        (400, {"error": {"message": "Unknown name", "status": "INVALID_ARGUMENT"}}, ProviderRefused, None),
        (429, EXHAUSTED, ProviderRateLimited, 34.07),
        (429, [EXHAUSTED], ProviderRateLimited, 34.07),
        (503, {"error": {"message": "overloaded", "status": "UNAVAILABLE"}}, ProviderFailed, None),
        (500, "x", ProviderFailed, None),
    ],
)
def test_errors(status, body, kind, wait_s):
    """google.rpc errors are read by status and reason: a bad key comes with 400, a wait within the details."""
    with pytest.raises(kind) as caught:
        answered(body, status)
    assert type(caught.value) is kind
    assert caught.value.retry_after_s == wait_s
