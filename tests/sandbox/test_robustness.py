"""Whatever JSON comes, every dialect answers it or refuses it; nothing is a defect."""

import copy
import http.client
import json
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.wire import ANTHROPIC, GEMINI, GROQ, OPENAI, key_headers

SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer", "minimum": 1}}}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
OPENAI_BODY = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "call f, as json"}, IMAGE]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "user", "content": "f"},
    ],
    "tools": [FUNCTION],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "stop": ["x"],
    "max_tokens": 5,
    "temperature": 1,
    "n": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "sandbox": {"text": "x", "limits": {"requests_per_minute": 10**9}},
}
JSON_BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": "x"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
}
ANTHROPIC_BODY = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 5,
    "system": [{"type": "text", "text": "s"}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "f"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}]}],
        },
    ],
    "tools": [{"name": "f", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f"},
    "stop_sequences": ["x"],
    "temperature": 1,
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}
GEMINI_BODY = {
    "systemInstruction": {"parts": [{"text": "s"}]},
    "contents": [
        {"role": "user", "parts": [{"text": "f"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {"stopSequences": ["x"], "maxOutputTokens": 5, "temperature": 1, "candidateCount": 1},
}
GEMINI_JSON_BODY = {
    "contents": [{"parts": [{"text": "x"}]}],
    "generationConfig": {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {}},
    },
}
EMBEDDING_BODY = {"model": "m", "input": ["x"], "dimensions": 4, "encoding_format": "base64"}
CASES = [
    (OPENAI, OPENAI_BODY),
    (OPENAI, JSON_BODY),
    (GROQ, OPENAI_BODY),
    (ANTHROPIC, ANTHROPIC_BODY),
    (GEMINI, GEMINI_BODY),
    (GEMINI, GEMINI_JSON_BODY),
    ("/openai/v1/embeddings", EMBEDDING_BODY),
]
ODD_SCALARS = [None, True, False, 0, -1, 1.5, 10**20, float("inf"), "", "x", "\x00", "\ud800", "tool", "none", "object"]
ODD_HOLDERS = [[], {}, [None], [[]], [{}], [1], {"type": "x"}, {"$ref": "#"}, {"a": None}, {"text": 5}, {"": ""}]
ODD = st.sampled_from(ODD_SCALARS + ODD_HOLDERS)


def places(value, at=()):
    """Every place in a JSON value, as the steps to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, content in inner:
        yield (*at, step)
        yield from places(content, (*at, step))


@st.composite
def spoilt(draw):
    """A path with a body of which one or two places hold something odd, or nothing."""
    path, body = draw(st.sampled_from(CASES))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(list(places(body))))
        holder = body
        for step in way:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = copy.deepcopy(draw(ODD))
        else:
            del holder[last]
        if not body:
            break
    return path, body


@pytest.fixture(scope="module")
def connection(sandbox_process):
    made = http.client.HTTPConnection(urlsplit(sandbox_process.url).netloc, timeout=20)
    yield made
    made.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=spoilt())
def test_odd_json_is_answered_or_refused(connection, case):
    """A body with odd values gets a 200 or a 4xx, and always a whole answer."""
    path, body = case
    connection.request("POST", path, json.dumps(body), key_headers(path.split("/")[1]))
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200 or 400 <= response.status < 500, answer
    assert answer
