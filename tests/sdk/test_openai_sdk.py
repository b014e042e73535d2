"""OpenAI's own client against the sandbox, unmodified."""

import base64
import json

import openai
import pytest
from pydantic import BaseModel

pytestmark = pytest.mark.sdk

MODEL = "gpt-4o-mini"
HELLO = [{"role": "user", "content": "hello"}]
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


class Weather(BaseModel):
    city: str
    degrees: int


TOOL = openai.pydantic_function_tool(Weather, name="get_weather")


@pytest.fixture(params=["openai", "mistral", "groq/openai"])
def client(sandbox, request):
    base_url = f"{sandbox.url}/{request.param}/v1"
    with openai.OpenAI(base_url=base_url, api_key="sk-test", max_retries=0) as made:
        yield made


def test_chat(client):
    """A completion parses, with its usage and limits."""
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    completion = raw.parse()
    assert completion.choices[0].message.content.endswith("You said: hello")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0


def test_usage_details(client):
    """Cached and reasoning tokens are where the client looks for them."""
    behaviour = {"sandbox": {"cached_tokens": 1, "reasoning_tokens": 7}}
    usage = client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=behaviour).usage
    assert usage.prompt_tokens_details.cached_tokens == 1
    assert usage.completion_tokens_details.reasoning_tokens == 7


def test_stream(client):
    """The streaming helper assembles the whole answer and its usage."""
    options = {"include_usage": True}
    with client.chat.completions.stream(model=MODEL, messages=HELLO, stream_options=options) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        final = stream.get_final_completion()
    assert text == final.choices[0].message.content
    assert text.endswith("You said: hello")
    assert final.usage.completion_tokens > 0


def test_tools(client):
    """A tool call parses into the caller's own model; its result is answered."""
    asked = [{"role": "user", "content": "use get_weather"}]
    message = client.chat.completions.parse(model=MODEL, messages=asked, tools=[TOOL]).choices[0].message
    call = message.tool_calls[0]
    assert isinstance(call.function.parsed_arguments, Weather)
    turns = [
        *asked,
        {"role": "assistant", "content": None, "tool_calls": [_sent(call)]},
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    answer = client.chat.completions.create(model=MODEL, messages=turns, tools=[TOOL])
    assert answer.choices[0].message.content.endswith("The tool said: sunny")


def _sent(call):
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


def test_streamed_tools(client):
    """The streaming helper assembles a tool call from its pieces."""
    asked = [{"role": "user", "content": "use get_weather"}]
    with client.chat.completions.stream(model=MODEL, messages=asked, tools=[TOOL]) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert isinstance(choice.message.tool_calls[0].function.parsed_arguments, Weather)


def test_json_schema(client):
    """Structured output parses into the caller's own model."""
    completion = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Weather)
    assert isinstance(completion.choices[0].message.parsed, Weather)


def test_image(client):
    """An image is taken and mentioned."""
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": PNG}}]
    completion = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert completion.choices[0].message.content.endswith("(1 image)")


def test_embeddings(client):
    """The client decodes the base64 that it asks for by itself."""
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [len(item.embedding) for item in answer.data] == [256, 256]


def test_models(client):
    """Models are listed and shown."""
    listed = client.models.list().data
    assert client.models.retrieve(listed[0].id).id == listed[0].id


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_error_classes(client, status, error):
    """Each failing status is the class that the client's users catch."""
    behaviour = {"sandbox": {"fault": "status", "status": status, "retry_after": 1}}
    with pytest.raises(error) as raised:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=behaviour)
    assert raised.value.response.headers["retry-after"] == "1"
    assert raised.value.body["message"]


def test_bad_key(client):
    """A wrong key is an AuthenticationError with its code."""
    with pytest.raises(openai.AuthenticationError) as raised:
        client.with_options(api_key="bad").chat.completions.create(model=MODEL, messages=HELLO)
    assert raised.value.code == "invalid_api_key"


def test_context_length(client, sandbox):
    """A prompt that is too long has the code that callers look for."""
    sandbox.behave(context_length=1)
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=MODEL, messages=HELLO)
    assert raised.value.code == "context_length_exceeded"


def test_retry_recovers(client):
    """The client's own retry gets past a fault that ends."""
    behaviour = {"sandbox": {"fault": "status", "status": 503, "times": 1}}
    asked = [{"role": "user", "content": f"retry at {client.base_url}"}]
    patient = client.with_options(max_retries=2)
    completion = patient.chat.completions.create(model=MODEL, messages=asked, extra_body=behaviour)
    assert json.dumps(completion.choices[0].message.content)
    assert "You said: retry" in completion.choices[0].message.content


def test_streamed_refusal(client):
    """The streaming helper assembles a refusal."""
    refuses = {"extra_body": {"sandbox": {"refusal": "I will not."}}}
    with client.chat.completions.stream(model=MODEL, messages=HELLO, **refuses) as stream:
        message = stream.get_final_completion().choices[0].message
    assert (message.refusal, message.content) == ("I will not.", None)


def test_error_in_a_stream(client):
    """An error in the midst of a stream is the client's own error."""
    fails = {"extra_body": {"sandbox": {"fault": "error"}}}
    with pytest.raises(openai.APIError, match="overloaded"):
        list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, **fails))
