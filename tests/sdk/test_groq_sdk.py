"""Groq's own client against the sandbox, unmodified."""

import json

import groq
import pytest

pytestmark = pytest.mark.sdk

MODEL = "openai/gpt-oss-20b"
HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


@pytest.fixture
def client(sandbox):
    with groq.Groq(base_url=f"{sandbox.url}/groq", api_key="gsk_test", max_retries=0) as made:
        yield made


def test_chat(client):
    """A completion parses, with Groq's own fields."""
    completion = client.chat.completions.create(model=MODEL, messages=HELLO)
    assert completion.choices[0].message.content == "[sandbox groq/openai/gpt-oss-20b] You said: hello"
    assert completion.usage.total_time > 0
    assert completion.x_groq.id.startswith("req_")


def test_usage_details(client):
    """Cached and reasoning tokens are where the client looks for them."""
    behaviour = {"sandbox": {"cached_tokens": 1, "reasoning_tokens": 7}}
    usage = client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=behaviour).usage
    assert usage.prompt_tokens_details.cached_tokens == 1
    assert usage.completion_tokens_details.reasoning_tokens == 7


def test_stream(client):
    """A stream's text is the answer's, its last chunk has the usage."""
    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).endswith("You said: hello")
    assert chunks[-1].x_groq.usage.total_tokens > 0


def test_tools(client):
    """A named tool is called with arguments of its schema, streamed or not."""
    asked = [{"role": "user", "content": "use get_weather"}]
    completion = client.chat.completions.create(model=MODEL, messages=asked, tools=[TOOL])
    call = completion.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "sample city"}
    chunks = list(client.chat.completions.create(model=MODEL, messages=asked, tools=[TOOL], stream=True))
    streamed = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.function.name for call in streamed] == ["get_weather"]


def test_json_schema(client):
    """Structured output is an instance of the schema."""
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
    completion = client.chat.completions.create(model=MODEL, messages=HELLO, response_format=wanted)
    assert json.loads(completion.choices[0].message.content) == {"city": "sample city"}


def test_image(client):
    """An image is taken and mentioned."""
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    completion = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert completion.choices[0].message.content.endswith("(1 image)")


def test_models(client):
    """Models are listed."""
    assert MODEL in {model.id for model in client.models.list().data}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, groq.BadRequestError),
        (401, groq.AuthenticationError),
        (429, groq.RateLimitError),
        (500, groq.InternalServerError),
    ],
)
def test_error_classes(client, status, error):
    """Each failing status is the class that the client's users catch."""
    behaviour = {"sandbox": {"fault": "status", "status": status}}
    with pytest.raises(error) as raised:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=behaviour)
    assert raised.value.body["error"]["message"]


def test_rate_limit(client, sandbox):
    """A reached limit is a RateLimitError that says when to come back."""
    sandbox.behave("groq", limits={"requests_per_minute": 1})
    client.chat.completions.create(model=MODEL, messages=HELLO)
    with pytest.raises(groq.RateLimitError) as raised:
        client.chat.completions.create(model=MODEL, messages=HELLO)
    assert 50 < int(raised.value.response.headers["retry-after"]) <= 60


def test_unsupported_field(client):
    """Log probabilities are refused."""
    with pytest.raises(groq.BadRequestError, match="logprobs"):
        client.chat.completions.create(model=MODEL, messages=HELLO, logprobs=True)


def test_stall_meets_the_clients_timeout(client):
    """A provider that never answers is the client's timeout."""
    behaviour = {"sandbox": {"fault": "stall"}}
    with pytest.raises(groq.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model=MODEL, messages=HELLO, extra_body=behaviour)


@pytest.mark.parametrize("fault", ["reset", "cut"])
def test_broken_connection(client, fault):
    """A broken connection is the client's connection error."""
    with pytest.raises(groq.APIConnectionError):
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body={"sandbox": {"fault": fault}})
