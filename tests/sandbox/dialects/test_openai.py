"""OpenAI's wire format: completions, streams, tools, structured output, embeddings, models, refusals."""

import base64
import json
import struct

import pytest

from tests.sandbox.wire import OPENAI, chat, send

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


def openai(sandbox, text="hello", /, **fields):
    return chat(sandbox.url, "openai", text, **fields)


def test_completion_has_openais_fields(sandbox):
    """A completion has id, object, created, model, choices and usage with its details."""
    answer = openai(sandbox, sandbox={"cached_tokens": 1, "reasoning_tokens": 5}).json
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["model"]) == ("chat.completion", "model-1")
    assert answer["choices"][0]["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 5


def test_identifiers_never_come_again(sandbox):
    """Two completions have two ids."""
    assert openai(sandbox).json["id"] != openai(sandbox).json["id"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_token_limit_truncates(sandbox, name):
    """Either name of the limit ends the text with finish reason length."""
    choice = openai(sandbox, **{name: 2}).json["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("[sandbox", "length")


def test_stop_ends_the_text(sandbox):
    """The text ends before a stop sequence, with finish reason stop."""
    choice = openai(sandbox, stop=["You"]).json["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("[sandbox openai/model-1] ", "stop")


def test_several_choices_are_given(sandbox):
    """N answers come with n indices."""
    answer = openai(sandbox, n=3).json
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]


def test_image_is_counted(sandbox):
    """An image part is mentioned in the answer and counted in the prompt."""
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    answer = openai(sandbox, messages=[{"role": "user", "content": parts}]).json
    assert answer["choices"][0]["message"]["content"].endswith("look (1 image)")
    assert answer["usage"]["prompt_tokens"] == 1 + 85


def test_tool_call_round_trip(sandbox):
    """A named tool is called with arguments as JSON text; its result is answered with text."""
    said = {"role": "user", "content": "use get_weather"}
    message = openai(sandbox, messages=[said], tools=[WEATHER]).json["choices"][0]["message"]
    assert message["content"] is None
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"city": "sample city"}
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"}
    choice = openai(sandbox, messages=[said, message, result], tools=[WEATHER]).json["choices"][0]
    assert choice["message"]["content"].endswith("The tool said: sunny")


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["get_weather"]),
        ({"type": "function", "function": {"name": "get_time"}}, ["get_time"]),
    ],
)
def test_tool_choice_is_followed(sandbox, choice, called):
    """Tools are called as the choice demands, named in the text or not."""
    answer = openai(sandbox, tools=[WEATHER, CLOCK], tool_choice=choice).json["choices"][0]
    assert [call["function"]["name"] for call in answer["message"].get("tool_calls", [])] == called
    assert answer["finish_reason"] == ("tool_calls" if called else "stop")


def test_parallel_calls_may_be_forbidden(sandbox):
    """Several named tools are called at once, or only one."""
    text = "get_weather and get_time"
    both = openai(sandbox, text, tools=[WEATHER, CLOCK]).json
    one = openai(sandbox, text, tools=[WEATHER, CLOCK], parallel_tool_calls=False).json
    assert [len(answer["choices"][0]["message"]["tool_calls"]) for answer in (both, one)] == [2, 1]


def test_stream_says_what_the_answer_says(sandbox):
    """The stream's pieces joined are the text; role first, finish last, then [DONE]."""
    whole = openai(sandbox).json["choices"][0]["message"]["content"]
    answer = openai(sandbox, stream=True)
    *chunks, done = answer.events()
    assert answer.headers["content-type"] == "text/event-stream"
    assert done == "[DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == whole
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert {chunk["id"] for chunk in chunks} == {chunks[0]["id"]}
    assert not any("usage" in chunk for chunk in chunks)


def test_stream_with_usage_ends_with_a_usage_chunk(sandbox):
    """With include_usage every chunk has usage, null but in the last, which has no choices."""
    *chunks, last, _ = openai(sandbox, stream=True, stream_options={"include_usage": True}).events()
    assert all(chunk["usage"] is None for chunk in chunks)
    assert (last["choices"], last["usage"]) == ([], openai(sandbox).json["usage"])


def test_streamed_tool_calls_come_in_pieces(sandbox):
    """A streamed tool call has id and name first, then its arguments in pieces, each call at its index."""
    *chunks, _ = openai(sandbox, "get_weather get_time", tools=[WEATHER, CLOCK], stream=True).events()
    deltas = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    heads = [delta for delta in deltas if "id" in delta]
    arguments = ["".join(d["function"]["arguments"] for d in deltas if d["index"] == index) for index in (0, 1)]
    assert [head["function"]["name"] for head in heads] == ["get_weather", "get_time"]
    assert [json.loads(text) for text in arguments] == [{"city": "sample city"}, {}]
    assert sum(delta["index"] == 0 for delta in deltas) > 2
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_json_schema_is_answered_with_an_instance(sandbox):
    """Structured output is an instance of the schema that was sent."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    answer = openai(sandbox, response_format=wanted).json
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"n": 3}


def test_json_mode_is_answered_with_an_object(sandbox):
    """JSON mode yields an object, once the word JSON was said."""
    wanted = {"type": "json_object"}
    assert openai(sandbox, response_format=wanted).status == 400
    answer = openai(sandbox, "in JSON please", response_format=wanted).json
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": ["hi"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": 5}, "model", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"n": 1000}, "n", "integer_above_max_value"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"stop": [1]}, "stop[0]", "invalid_type"),
        (
            {"tools": [{"type": "function", "function": {"name": "no spaces"}}]},
            "tools[0].function.name",
            "invalid_value",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "invalid_type"),
        ({"tool_choice": "auto"}, "tool_choice", None),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"webhook_url": "https://example.com"}, None, None),
    ],
)
def test_bad_request_is_refused_by_field(sandbox, fields, param, code):
    """What OpenAI refuses is refused with all four keys, naming the parameter."""
    answer = openai(sandbox, **fields)
    assert answer.status == 400
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert (answer.json["error"]["param"], answer.json["error"]["code"]) == (param, code)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "tool", "tool_call_id": "call_1", "content": "x"}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "user", "content": "x"}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
        [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_2", "content": "x"},
        ],
    ],
)
def test_tool_messages_must_answer_tool_calls(sandbox, messages):
    """OpenAI refuses a result without its call, and a call without its result."""
    answer = openai(sandbox, messages=messages)
    assert answer.status == 400
    assert "tool_call" in answer.json["error"]["message"]


def test_embeddings_are_the_same_as_numbers_and_as_base64(sandbox):
    """Vectors have length one, the asked size, and the same values in either encoding."""
    body = {"model": "text-embedding-3-small", "input": ["one", "two"], "dimensions": 8}
    plain = send(sandbox.url, "/openai/v1/embeddings", body).json
    encoded = send(sandbox.url, "/openai/v1/embeddings", {**body, "encoding_format": "base64"}).json
    vectors = [item["embedding"] for item in plain["data"]]
    assert [len(vector) for vector in vectors] == [8, 8]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1, abs=1e-5)
    assert vectors[0] != vectors[1]
    decoded = struct.unpack("<8f", base64.b64decode(encoded["data"][0]["embedding"]))
    assert decoded == pytest.approx(vectors[0])
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


@pytest.mark.parametrize(
    "body", [{"model": "m"}, {"model": "m", "input": 5}, {"input": "x"}, [], {"model": "m", "input": [5.5]}]
)
def test_bad_embedding_request_is_a_400(sandbox, body):
    """An embedding request without its parts is refused."""
    assert send(sandbox.url, "/openai/v1/embeddings", body).status == 400


def test_models_are_listed_and_shown(sandbox):
    """The list of models has OpenAI's form; one can be asked for by name, slashes and all."""
    listed = send(sandbox.url, "/openai/v1/models", method="GET").json
    assert listed["object"] == "list"
    assert {"id", "object", "created", "owned_by"} <= set(listed["data"][0])
    one = send(sandbox.url, "/groq/openai/v1/models/openai/gpt-oss-20b", method="GET").json
    assert one["id"] == "openai/gpt-oss-20b"
    assert send(sandbox.url, "/openai/v1/models/does-not-exist", method="GET").status == 404


def test_get_of_a_completion_is_unknown(sandbox):
    """Only POST makes completions."""
    assert send(sandbox.url, OPENAI, method="GET").status == 404


def embedded(sandbox, given, provider="openai", **fields):
    body = {"model": "text-embedding-3-small", "input": given, **fields}
    return send(sandbox.url, f"/{provider}/v1/embeddings", body)


@pytest.mark.parametrize(("given", "vectors", "used"), [([1, 2, 3], 1, 3), ([[1], [2, 3]], 2, 3), (["a", "b"], 2, 2)])
def test_embeddings_of_tokens(sandbox, given, vectors, used):
    """Tokens are an input as texts are, alone or in a list."""
    answer = embedded(sandbox, given).json
    assert len(answer["data"]) == vectors
    assert answer["usage"]["prompt_tokens"] == used


@pytest.mark.parametrize("given", ["", [], [""], [[]], ["a", 1], [1, "a"], [True], 5, {}, ["x"] * 2049])
def test_embeddings_of_nothing(sandbox, given):
    """What OpenAI does not embed is a 400 that names the input."""
    answer = embedded(sandbox, given)
    assert answer.status == 400
    assert answer.json["error"]["param"].startswith("input")


def test_embeddings_have_few_fields(sandbox):
    """OpenAI itself refuses a field it does not know; a compatible server may not."""
    assert embedded(sandbox, "x", deadline_s=1).status == 400
    assert embedded(sandbox, "x", provider="mistral", deadline_s=1).status == 200
