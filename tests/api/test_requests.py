"""The document and the checks agree on what a request may be: bodies are made, bent, and shown to both."""

import copy

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.errors import InvalidRequest
from workers.requests import anthropic_schema, chat_schema, embeddings_schema, legacy_schema, responses_schema

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
PROVIDER = {
    "order": ["groq"],
    "only": ["groq", "google-gemini"],
    "ignore": [],
    "allow_fallbacks": True,
    "require_parameters": False,
    "data_collection": "deny",
    "sort": {"by": "price", "partition": "none"},
    "max_price": {"prompt": "0.5", "completion": 2, "request": 0},
    "preferred_max_latency": {"p50": 1, "p99": 2.5},
    "preferred_min_throughput": 10,
    "zdr": False,
    "quantizations": [],
}
OPTIONS = {
    "model": "fast",
    "models": ["smart"],
    "provider": PROVIDER,
    "background": False,
    "service_tier": "flex",
    "deadline_s": 30,
    "webhook_url": "https://example.com/hook",
    "on_disconnect": "detach",
    "continue_on_failover": True,
    "routing_policy": "balanced",
    "user": "somebody",
}
PARTS = [
    {"type": "text", "text": "Look:"},
    {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    {"type": "file", "file": {"file_data": "data:,"}},
    {"type": "refusal", "refusal": "No."},
    {"type": "something_new", "value": 1},
]
CHAT = {
    **OPTIONS,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": PARTS, "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "12", "tool_call_id": "call_1"},
        {"role": "assistant", "refusal": "No."},
    ],
    "temperature": 0.5,
    "top_p": 1,
    "n": 2,
    "seed": -5,
    "max_tokens": 100,
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"5": 1},
    "stop": ["a", "b"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}, {"type": "googleSearch"}],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    "metadata": {},
}
EMBEDDINGS = {**OPTIONS, "input": ["one", "two"], "dimensions": 3, "encoding_format": "base64", "stream": False}
TOKENS = {"model": "fast", "input": [[1, 2], [3]]}
LEGACY = {
    **OPTIONS,
    **{name: CHAT[name] for name in ("temperature", "seed", "stop", "stream", "stream_options", "response_format")},
    "prompt": "Say",
    "suffix": "",
    "echo": True,
    "logprobs": 3,
    "n": 1,
    "best_of": 1,
    "max_tokens": 5,
}
MARK = {"type": "ephemeral"}
PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}
DATA = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
WORDS = {"type": "text", "text": "Look:", "cache_control": MARK}
DOCUMENTS = [
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": ""}, "title": "A"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}, "context": None},
    {"type": "document", "source": {"type": "content", "content": [WORDS, DATA]}, "citations": {"enabled": False}},
    {"type": "search_result", "title": "A", "source": "https://x", "content": [WORDS]},
]
ANSWERED = {"type": "tool_result", "tool_use_id": "t1", "content": [WORDS, PICTURE], "is_error": False}
COUNTED = {
    **OPTIONS,
    "system": [WORDS],
    "messages": [
        {"role": "user", "content": [WORDS, PICTURE, DATA, *DOCUMENTS]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": ""},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "So."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
            ],
        },
        {"role": "user", "content": [ANSWERED, {"type": "tool_result", "tool_use_id": "t2"}]},
        {"role": "system", "content": "Be brief."},
    ],
    "temperature": 0.5,
    "top_k": 3,
    "n": 1,
    "stop_sequences": ["a"],
    "tools": [
        {"name": "look", "input_schema": {}, "cache_control": MARK},
        {"type": "custom", "name": "f", "input_schema": {}},
    ],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "metadata": {"user_id": "x"},
    "mcp_servers": [],
}
MESSAGES = {**COUNTED, "max_tokens": 100, "stream": True, "service_tier": "standard_only"}
FUNCTION = {"type": "function", "name": "look", "parameters": {}, "strict": False}
GIVEN = [
    {"type": "input_text", "text": "Look:"},
    {"type": "input_image", "image_url": "data:,", "detail": "low", "file_id": None},
    {"type": "input_file", "file_data": "data:,", "filename": "a.pdf"},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
]
RESPONSES = {
    **OPTIONS,
    "input": [
        {"role": "user", "content": "Hi."},
        {"type": "message", "role": "developer", "content": GIVEN, "id": "msg_1", "status": "completed"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "content": None},
        {"role": "assistant", "content": [{"type": "output_text", "text": "A"}, {"type": "refusal", "refusal": "B"}]},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}", "extra_content": {}},
        {"type": "function_call_output", "call_id": "c1", "output": GIVEN},
    ],
    "instructions": "Be brief.",
    "previous_response_id": "resp_1",
    "max_output_tokens": 100,
    "top_logprobs": 2,
    "include": ["reasoning.encrypted_content"],
    "tools": [FUNCTION],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "metadata": {"a": "b"},
    "truncation": "auto",
    "store": True,
    "stream": True,
}
ASKED = {"model": "fast", "input": "Hi.", "tools": [FUNCTION], "tool_choice": "required"}
# What JSON Schema has no words for: one value must be found elsewhere in the body. The document says it in prose.
BEYOND = ("must be the name of one of the tools", "there is no tool ", "must be n:")
# Words that mean something somewhere, and values that mean nothing anywhere. No whole number as a fraction: to JSON
# Schema 1.0 is an integer, and a provider may refuse it.
JUNK = [
    *(None, True, False, 0, 1, -1, 2.5, -0.5, 17, 10**6, 10**12, 10**30),
    *("", "x", "x" * 200, "x" * 600, "auto", "none", "text", "function", "user", "assistant", "tool", "json_schema"),
    *("json_object", "image_url", "refusal", "file", "allowed_tools", "price", "data:,", "float", "required"),
    *([], [[]], [1], ["x"], [""], [None], [["x"]], ["x", 1], [[1], "x"], ["x"] * 17, [{}], PARTS, [CALL]),
    *({}, {"type": "function"}, {"type": "allowed_tools"}, {"name": "f"}, {"url": "https://x"}, {"by": "price"}),
    *(
        {"function": {"name": "f"}},
        {"p50": 1},
        {"p50": None},
        {"p42": 1},
        {"schema": {}},
        {"schema": 1},
        {"prompt": -1},
    ),
    *(WORDS, PICTURE, FUNCTION, GIVEN[1], {"enabled": True}, {"file_id": "x"}, ["look"], "look", "base64", "enabled"),
    *("tool_use", "tool_result", "reasoning", "function_call", "input_text", "output_text", "message", "custom"),
    *({"role": "user", "content": "x"}, {"role": "assistant"}, {"role": "tool", "content": "x"}),
]
NAMES = sorted(
    {*CHAT, *EMBEDDINGS, *PROVIDER, *LEGACY, *MESSAGES, *RESPONSES, "role", "content", "tool_calls", "type", "function"}
    | {"name", "parameters", "audio", "citations", "title", "is_error", "status", "file_id", "file_url", "id", "prompt"}
    | {"context", "cache_control", "conversation", "modalities", "best_of", "container", "detail", "extra_content"}
)


def places(value, place=()):
    """The path of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*place, name)
        yield from places(item, (*place, name))


def bend(draw, body):
    """Replace, remove or add something somewhere in `body`."""
    place = draw(st.sampled_from(list(places(body))))
    holder = body
    for step in place[:-1]:
        holder = holder[step]
    what = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if what == "remove":
        del holder[place[-1]]
    elif what == "add" and isinstance(holder[place[-1]], dict):
        holder[place[-1]][draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    else:
        holder[place[-1]] = copy.deepcopy(draw(st.sampled_from(JUNK)))


@st.composite
def bent(draw, *bodies):
    """One of `bodies`, or what becomes of it when it is bent in up to three places."""
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(0, 3))):
        if body:
            bend(draw, body)
    return body


@pytest.fixture(scope="module")
def allows(document):
    """Whether the document allows a body, by the name of its schema."""

    def reader(name):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return jsonschema_rs.validator_for(schema, validate_formats=True)

    readers = {name: reader(name) for name in document["components"]["schemas"] if name.endswith("Request")}
    return lambda name, body: readers[name].is_valid(body)


def refusal(check, body):
    """Why the check refuses a body; None where it takes it."""
    try:
        check(body)
    except InvalidRequest as error:
        return error.message
    return None


SURFACES = {
    "ChatCompletionRequest": (chat_schema.check, CHAT),
    "LegacyCompletionRequest": (legacy_schema.check, LEGACY),
    "MessagesRequest": (anthropic_schema.check, MESSAGES),
    "CountTokensRequest": (anthropic_schema.check_count, COUNTED),
    "ResponsesRequest": (responses_schema.check, RESPONSES, ASKED),
    "EmbeddingsRequest": (embeddings_schema.check, EMBEDDINGS, TOKENS),
}


@pytest.mark.parametrize("name", SURFACES)
def test_the_bodies_are_allowed_as_they_are(allows, name):
    """What is bent below is sound before."""
    check, *bodies = SURFACES[name]
    for body in bodies:
        assert allows(name, body)
        assert refusal(check, body) is None


def bent_once(body):
    """Every body with one thing of the surface's own replaced by everything that is known, or left out."""
    body = {name: value for name, value in body.items() if name not in OPTIONS or name == "model"}
    for place in list(places(body)):
        bent_body = copy.deepcopy(body)
        holder = bent_body
        for step in place[:-1]:
            holder = holder[step]
        for junk in JUNK:
            holder[place[-1]] = junk
            yield bent_body
        del holder[place[-1]]
        yield bent_body


# The other route's bodies are the same but for max_tokens.
@pytest.mark.parametrize("name", [name for name in SURFACES if name != "CountTokensRequest"])
def test_whatever_is_bent_once_is_allowed_exactly_where_it_is_taken(allows, name):
    """One thing at a time, everywhere."""
    check, *bodies = SURFACES[name]
    for body in bodies:
        for bent_body in bent_once(body):
            refused = refusal(check, bent_body)
            if not any(words in (refused or "") for words in BEYOND):
                assert allows(name, bent_body) == (refused is None), (bent_body, refused)


@pytest.mark.parametrize("name", SURFACES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_request_is_allowed_exactly_where_it_is_taken(allows, name, data):
    """What the document allows is not refused, and what it forbids is."""
    check, *bodies = SURFACES[name]
    body = data.draw(bent(*bodies))
    refused = refusal(check, body)
    assume(not any(words in (refused or "") for words in BEYOND))
    assert allows(name, body) == (refused is None), refused
