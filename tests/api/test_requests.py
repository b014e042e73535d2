"""The document and the checks agree on what a request may be: bodies are made, bent, and shown to both."""

import copy

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import chat_schema, embeddings_schema
from routing.errors import InvalidRequest

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
    *({"role": "user", "content": "x"}, {"role": "assistant"}, {"role": "tool", "content": "x"}),
]
NAMES = sorted(
    {*CHAT, *EMBEDDINGS, *PROVIDER, "role", "content", "tool_calls", "type", "function", "name", "parameters", "audio"}
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

    readers = {name: reader(name) for name in ("ChatCompletionRequest", "EmbeddingsRequest")}
    return lambda name, body: readers[name].is_valid(body)


def refusal(check, body):
    """Why the check refuses a body; None where it takes it."""
    try:
        check(body)
    except InvalidRequest as error:
        return error.message
    return None


def test_the_bodies_are_allowed_as_they_are(allows):
    """What is bent below is sound before."""
    assert allows("ChatCompletionRequest", CHAT)
    assert refusal(chat_schema.check, CHAT) is None
    for body in (EMBEDDINGS, TOKENS):
        assert allows("EmbeddingsRequest", body)
        assert refusal(embeddings_schema.check, body) is None


@settings(max_examples=600, deadline=None)
@given(body=bent(CHAT))
def test_a_chat_request_is_allowed_exactly_where_it_is_taken(allows, body):
    """What the document allows is not refused, and what it forbids is."""
    assert allows("ChatCompletionRequest", body) == (refusal(chat_schema.check, body) is None)


@settings(max_examples=300, deadline=None)
@given(body=bent(EMBEDDINGS, TOKENS))
def test_an_embeddings_request_is_allowed_exactly_where_it_is_taken(allows, body):
    """What the document allows is not refused, and what it forbids is."""
    assert allows("EmbeddingsRequest", body) == (refusal(embeddings_schema.check, body) is None)
