"""Claims about the registry: every dialect by its name, and what holds for all of them."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.configuration import ConfigurationError
from routing.errors import NotExpressible, ProviderError
from routing.request_fields import ROUTER_FIELDS
from workers.providers.base import Account, Completion, Reply
from workers.providers.registry import DIALECTS, adapter

ENDPOINT = "https://example.test/v1"
ADAPTERS = [adapter(Account(name, ENDPOINT, "key"), name) for name in sorted(DIALECTS)]
MODELS = ["gemini-2.5-flash", "gemini-3.8-flash", "claude-haiku-4-5", "claude-sonnet-5", "openai/gpt-oss-20b"]

words = st.text(max_size=8)
names = st.sampled_from(["f", "get_weather"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
urls = st.sampled_from(["https://x.test/a.png", "data:image/png;base64,aaaa", "data:,x", "nonsense"]) | words
parts = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, urls),
    st.builds(lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}, words),
    st.builds(lambda url: {"type": "file", "file": {"file_data": url}}, urls),
    st.just({"type": "refusal", "refusal": "no"}),
)
contents = words | st.lists(parts, max_size=3)
calls = st.builds(
    lambda call_id, name, arguments, extra: {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **extra,
    },
    words,
    names,
    st.sampled_from(["", "{}", '{"a": 1}', "[1]", "{"]),
    st.sampled_from([{}, {"extra_content": {"google": {"thought_signature": "s"}}}, {"extra_content": None}]),
)
messages = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user"]), "content": contents}, optional={"name": words}
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": contents | st.none()},
        optional={
            "tool_calls": st.lists(calls, max_size=2),
            "reasoning_content": words,
            "refusal": words | st.none(),
            "extra_content": json_values,
        },
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "content": contents, "tool_call_id": words}),
)
schemas = st.dictionaries(
    st.sampled_from(["type", "properties", "items", "enum", "anyOf", "$defs", "minimum", "description", "required"]),
    json_values,
    max_size=4,
)
tools = st.one_of(
    st.builds(
        lambda name, schema: {"type": "function", "function": {"name": name, "parameters": schema}}, names, schemas
    ),
    st.just({"type": "custom", "custom": {"name": "x"}}),
    st.just({"googleSearch": {}}),
)
choices = st.sampled_from(
    [
        "auto",
        "none",
        "required",
        {"type": "function", "function": {"name": "f"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
        {"type": "custom", "custom": {"name": "x"}},
    ]
)
formats = st.one_of(
    st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
    st.builds(lambda schema: {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}, schemas),
)
requests = st.fixed_dictionaries(
    {"messages": st.lists(messages, min_size=1, max_size=5)},
    optional={
        "model": words,
        "tools": st.lists(tools, max_size=2),
        "tool_choice": choices,
        "parallel_tool_calls": st.booleans(),
        "response_format": formats,
        "temperature": st.floats(0, 2) | st.none(),
        "top_p": st.floats(0, 1),
        "max_tokens": st.integers(1, 10**6),
        "max_completion_tokens": st.integers(1, 10**6) | st.none(),
        "n": st.integers(1, 3),
        "seed": st.integers(-(2**63), 2**63),
        "stop": words | st.lists(words, max_size=4) | st.none(),
        "logprobs": st.booleans(),
        "top_logprobs": st.integers(0, 20),
        "logit_bias": st.just({"1": 1}),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max", None]),
        "user": words,
        "modalities": st.sampled_from([["text"], ["audio"], None]),
        "stream": st.booleans(),
        "metadata": st.just({"a": "b"}),
        "unheard_of": json_values,
    },
)


def test_dialects():
    """The five dialects are known by the names that providers.json uses."""
    assert sorted(DIALECTS) == ["anthropic", "google-gemini", "groq", "hugging-face", "openai"]
    assert all(isinstance(adapter(Account("x", ENDPOINT), name), DIALECTS[name]) for name in DIALECTS)


@pytest.mark.parametrize(
    ("account", "dialect", "words_of_error"),
    [
        (Account("mine", ENDPOINT), "mistral", "mine.type is 'mistral'.*'openai'"),
        (Account("mine", "api.test/v1"), "openai", "providers.json: mine.endpoint 'api.test/v1'"),
        (Account("mine", ENDPOINT, headers={"x": "a\nb"}), "openai", "mine.headers.'x'"),
    ],
)
def test_broken_accounts(account, dialect, words_of_error):
    """An unknown type, a broken endpoint or header is one clear line that names its place in the file."""
    with pytest.raises(ConfigurationError, match=words_of_error):
        adapter(account, dialect)


def test_a_broken_key_is_not_shown():
    """A key that no header can hold is refused without being repeated."""
    with pytest.raises(ConfigurationError) as caught:
        adapter(Account("mine", ENDPOINT, "schlüssel\n"), "openai")
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize("provider", ADAPTERS, ids=lambda provider: provider.dialect)
@given(request=requests, model=st.sampled_from(MODELS))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_request(provider, request, model):
    """Any valid request is translated into JSON without a router field, or is not expressible; it is never changed."""
    before = json.dumps(request)
    try:
        call = provider.call(model, request)
    except NotExpressible as error:
        assert error.message  # noqa: PT017 - either outcome is right, and both are looked at
    else:
        body = json.loads(call.body)
        # Anthropic has a field of that name of its own: the caller's label.
        ours = ROUTER_FIELDS - {"metadata"}
        if request.get("stream") is True:
            ours -= {"stream", "stream_options"}
        assert not ours & body.keys()
        asked = "streamGenerateContent?alt=sse" in call.url or body.get("stream", False)
        assert asked == (request.get("stream") is True)
        assert body.get("metadata") != {"a": "b"}
        assert call.url.startswith("https://example.test/v1")
    assert json.dumps(request) == before


@pytest.mark.parametrize("provider", ADAPTERS, ids=lambda provider: provider.dialect)
@given(body=json_values, status=st.sampled_from([200, 200, 201, 204, 400, 404, 429, 500]))
@settings(max_examples=100, deadline=None)
def test_any_answer(provider, body, status):
    """Any JSON value as an answer is a completion or a provider's error."""
    outcome = answered(provider, status, json.dumps(body).encode())
    assert isinstance(outcome, Completion | ProviderError)


# What the three answer forms are made of, so that the fuzzing gets deep.
keys = st.sampled_from(
    [
        "choices", "message", "content", "tool_calls", "function", "name", "arguments", "finish_reason", "usage",
        "prompt_tokens", "candidates", "parts", "functionCall", "args", "text", "thought", "usageMetadata", "type",
        "input", "id", "error", "code", "details", "promptFeedback", "blockReason", "logprobsResult", "index",
        "chosenCandidates", "topCandidates", "inlineData", "reasoning", "created", "model", "stop_reason",
    ]
)  # fmt: skip
answer_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["message", "text", "tool_use", "STOP", "stop", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)
answers = st.one_of(
    st.dictionaries(keys, answer_values, max_size=6),
    st.builds(
        lambda message, rest: {"choices": [{"message": message, **rest}], "usage": rest},
        st.dictionaries(keys, answer_values, max_size=6),
        st.dictionaries(keys, answer_values, max_size=4),
    ),
    st.builds(
        lambda parts, rest: {"candidates": [{**rest, "content": {"parts": parts}}], "usageMetadata": rest},
        st.lists(st.dictionaries(keys, answer_values, max_size=4), max_size=3),
        st.dictionaries(keys, answer_values, max_size=4),
    ),
    st.builds(
        lambda blocks, rest: {**rest, "type": "message", "content": blocks, "usage": rest},
        st.lists(st.dictionaries(keys, answer_values, max_size=4), max_size=3),
        st.dictionaries(keys, answer_values, max_size=4),
    ),
)


@pytest.mark.parametrize("provider", ADAPTERS, ids=lambda provider: provider.dialect)
@given(body=answers)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_almost_an_answer(provider, body):
    """An answer with anything in any of its places is a completion in OpenAI's form, or a provider's error."""
    outcome = answered(provider, 200, json.dumps(body).encode())
    if isinstance(outcome, Completion):
        assert outcome.body["object"] == "chat.completion"
        assert isinstance(outcome.body["id"], str)
        assert isinstance(outcome.body["created"], int)
        for choice in outcome.body["choices"]:
            assert isinstance(choice["message"]["content"], str | None)
            assert choice["finish_reason"] in ("stop", "length", "tool_calls", "content_filter", "function_call")
            for call in choice["message"].get("tool_calls", []):
                assert isinstance(call["id"], str)
        usage = outcome.usage
        assert 0 <= usage.cached_tokens <= usage.prompt_tokens
        assert 0 <= usage.reasoning_tokens <= usage.completion_tokens


@pytest.mark.parametrize("provider", ADAPTERS, ids=lambda provider: provider.dialect)
@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 50_000, b"9" * 10_000])
@pytest.mark.parametrize("status", [200, 500])
def test_no_json(provider, body, status):
    """Bytes that are no JSON are a provider's error, whatever the status."""
    assert isinstance(answered(provider, status, body), ProviderError)


def answered(provider, status, body):
    """The outcome of an answer: a Completion, or the ProviderError."""
    try:
        return provider.completion("m", Reply(status, {}, body))
    except ProviderError as error:
        return error
