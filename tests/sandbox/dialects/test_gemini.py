"""The Gemini API on the wire."""

import json

import pytest

from tests.sandbox.wire import GEMINI, GEMINI_STREAM, chat, chat_body, send

WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
CLOCK = {"name": "get_time"}
USER = {"role": "user", "parts": [{"text": "hello"}]}
CALL = {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": {}}}]}
RESPONSE = {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"sky": "clear"}}}]}


def gemini(sandbox, text="hello", /, **fields):
    return chat(sandbox.url, "google-gemini", text, **fields)


def tools(*declarations):
    return [{"functionDeclarations": list(declarations)}]


def parts(answer):
    return answer.json["candidates"][0]["content"]["parts"]


def test_response_has_geminis_fields(sandbox):
    """A response has candidates, counts, the model's version and an id; thoughts are counted apart."""
    fields = {"cached_tokens": 1, "reasoning_tokens": 5}
    answer = gemini(sandbox, sandbox=fields).json
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["modelVersion"] == "gemini-2.5-flash"
    usage = answer["usageMetadata"]
    assert (usage["cachedContentTokenCount"], usage["thoughtsTokenCount"]) == (1, 5)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"] + 5


def test_key_may_be_in_the_query(sandbox):
    """The query's `key` does as well as the header."""
    answer = send(sandbox.url, f"{GEMINI}?key=abc", chat_body("google-gemini"), headers={})
    assert answer.status == 200
    assert send(sandbox.url, f"{GEMINI}?key=bad", chat_body("google-gemini"), headers={}).status == 400


def test_snake_case_is_taken(sandbox):
    """Field names may be snake_case, at every level."""
    config = {"max_output_tokens": 2}
    instruction = {"parts": [{"text": "be brief"}]}
    answer = gemini(sandbox, generation_config=config, system_instruction=instruction)
    assert parts(answer) == [{"text": "[sandbox"}]


def test_output_limit_and_stop_sequences(sandbox):
    """The limit ends the text with MAX_TOKENS, a stop sequence with STOP."""
    cut = gemini(sandbox, generationConfig={"maxOutputTokens": 2}).json["candidates"][0]
    stopped = gemini(sandbox, generationConfig={"stopSequences": ["You"]}).json["candidates"][0]
    assert (cut["content"]["parts"], cut["finishReason"]) == ([{"text": "[sandbox"}], "MAX_TOKENS")
    assert (stopped["content"]["parts"][0]["text"][-2:], stopped["finishReason"]) == ("] ", "STOP")


def test_image_is_counted(sandbox):
    """Inline data of an image type is mentioned."""
    image = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    answer = gemini(sandbox, contents=[{"role": "user", "parts": [{"text": "look"}, image]}])
    assert parts(answer)[0]["text"].endswith("look (1 image)")


def test_function_call_round_trip(sandbox):
    """A named function is called with args as an object; its response is answered with text."""
    called = gemini(sandbox, "get_weather", tools=tools(WEATHER))
    assert parts(called) == [{"functionCall": {"name": "get_weather", "args": {"city": "sample city"}}}]
    assert called.json["candidates"][0]["finishReason"] == "STOP"
    answered = gemini(sandbox, contents=[USER, CALL, RESPONSE], tools=tools(WEATHER))
    assert parts(answered)[0]["text"].endswith('The tool said: {"sky": "clear"}')


@pytest.mark.parametrize(
    ("config", "called"),
    [
        ({"mode": "NONE"}, []),
        ({"mode": "AUTO"}, []),
        ({"mode": "ANY"}, ["get_weather"]),
        ({"mode": "ANY", "allowedFunctionNames": ["get_time"]}, ["get_time"]),
    ],
)
def test_calling_mode_is_followed(sandbox, config, called):
    """Functions are called as the mode demands."""
    answer = gemini(sandbox, tools=tools(WEATHER, CLOCK), toolConfig={"functionCallingConfig": config})
    assert [part["functionCall"]["name"] for part in parts(answer) if "functionCall" in part] == called


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("responseSchema", {"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "minimum": 3}}}),
        ("responseJsonSchema", {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}),
    ],
)
def test_schema_is_answered_with_an_instance(sandbox, name, schema):
    """Either kind of schema is answered with an instance."""
    config = {"responseMimeType": "application/json", name: schema}
    assert json.loads(parts(gemini(sandbox, generationConfig=config))[0]["text"]) == {"n": 3}


def test_stream_of_events_says_what_the_answer_says(sandbox):
    """With alt=sse each event is a response; parts joined are the text, the last has reason and counts."""
    answer = send(sandbox.url, GEMINI_STREAM, chat_body("google-gemini"))
    events = answer.events()
    assert answer.headers["content-type"] == "text/event-stream"
    text = "".join(event["candidates"][0]["content"]["parts"][0]["text"] for event in events)
    whole = gemini(sandbox).json
    assert len(events) > 5
    assert text == whole["candidates"][0]["content"]["parts"][0]["text"]
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]
    assert not any("finishReason" in event["candidates"][0] for event in events[:-1])


def test_stream_without_events_is_an_array(sandbox):
    """Without alt=sse the stream is one JSON array."""
    answer = send(sandbox.url, GEMINI_STREAM.partition("?")[0], chat_body("google-gemini"))
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json) > 5


def test_streamed_call_comes_whole(sandbox):
    """Each function call is a part of its own."""
    body = chat_body("google-gemini", "get_weather get_time", tools=tools(WEATHER, CLOCK))
    events = send(sandbox.url, GEMINI_STREAM, body).events()
    called = [event["candidates"][0]["content"]["parts"][0]["functionCall"]["name"] for event in events]
    assert called == ["get_weather", "get_time"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"messages": []}, 'Invalid JSON payload received. Unknown name "messages": Cannot find field.'),
        (
            {"generationConfig": {"maxTokens": 5}},
            "Unknown name \"maxTokens\" at 'generation_config': Cannot find field.",
        ),
        (
            {"tools": tools({"name": "f", "parameters": {"type": "OBJECT", "additionalProperties": False}})},
            "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters': Cannot find",
        ),
        (
            {"tools": tools({"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"$ref": "#"}}}})},
            "Unknown name \"$ref\" at 'tools[0].function_declarations[0].parameters.properties[0].value'",
        ),
        (
            {"tools": tools({"name": "f", "parameters": {"type": ["string", "null"]}})},
            "Proto field is not repeating, cannot start list",
        ),
        ({"tools": tools({"name": "f", "parameters": {"type": "OBJECT"}})}, "should be non-empty for OBJECT type"),
        ({"tools": tools({"name": "a b"})}, "Invalid function name"),
        ({"contents": []}, "contents is not specified"),
        ({"contents": "hello"}, "Invalid value at 'contents'"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents.parts must not be empty"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
        ({"contents": [{"role": "user", "parts": [{"text": 5}]}]}, "Invalid value at 'contents[0].parts[0].text'"),
        ({"contents": [USER, CALL, USER]}, "number of function response parts"),
        ({"contents": [RESPONSE]}, "number of function response parts"),
        (
            {"contents": [USER, {"role": "model", "parts": [{"functionCall": {"name": "f", "args": "{}"}}]}]},
            "Invalid value at 'contents[1].parts[0].function_call.args' (type.googleapis.com/google.protobuf.Struct)",
        ),
        ({"generationConfig": {"temperature": 5}}, "temperature must be in the range"),
        ({"generationConfig": {"maxOutputTokens": "x"}}, "Invalid value at 'generation_config.max_output_tokens'"),
        ({"generationConfig": {"responseSchema": {"type": "STRING"}}}, "only supported when response_mime_type"),
        (
            {"generationConfig": {"responseMimeType": "application/json"}, "tools": tools(CLOCK)},
            "Function calling with a response mime type: 'application/json' is unsupported",
        ),
        ({"toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}}, "function_calling_config.mode"),
    ],
)
def test_what_gemini_refuses_is_a_400(sandbox, fields, told):
    """Unknown names, wrong types and impossible requests are INVALID_ARGUMENT in Google's words."""
    answer = gemini(sandbox, **fields)
    assert answer.status == 400
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"
    assert told in answer.json["error"]["message"]


def test_missing_contents_are_refused(sandbox):
    """Contents is required."""
    assert send(sandbox.url, GEMINI, {}).json["error"]["status"] == "INVALID_ARGUMENT"


def test_models_are_listed_and_shown(sandbox):
    """Models have resource names and say what they can do."""
    listed = send(sandbox.url, "/google-gemini/v1beta/models", method="GET").json["models"]
    assert listed[0]["name"] == "models/gemini-2.5-flash"
    assert "generateContent" in listed[0]["supportedGenerationMethods"]
    one = send(sandbox.url, "/google-gemini/v1beta/models/gemini-2.5-pro", method="GET").json
    assert one["name"] == "models/gemini-2.5-pro"


def test_other_method_of_a_model_is_not_found(sandbox):
    """A method that the sandbox's models have not is the vendor's 404."""
    answer = send(sandbox.url, "/google-gemini/v1beta/models/gemini-2.5-flash:paint", chat_body("google-gemini"))
    assert (answer.status, answer.json["error"]["status"]) == (404, "NOT_FOUND")
