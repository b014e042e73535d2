"""Hugging Face's own client against the sandbox, unmodified."""

import json

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError

pytestmark = pytest.mark.sdk

MODEL = "openai/gpt-oss-20b"
HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": SCHEMA}}


@pytest.fixture
def client(sandbox):
    with InferenceClient(base_url=f"{sandbox.url}/hugging-face/v1", api_key="hf_test", timeout=10) as made:
        yield made


def test_chat(client):
    """A completion parses, with its usage."""
    completion = client.chat.completions.create(HELLO, model=MODEL)
    assert completion.choices[0].message.content == f"[sandbox hugging-face/{MODEL}] You said: hello"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_chat_through_a_provider(sandbox):
    """The client's hf-inference provider reaches an endpoint given as a URL."""
    with InferenceClient(model=f"{sandbox.url}/hugging-face", provider="hf-inference", api_key="hf_test") as client:
        completion = client.chat_completion(HELLO)
    assert completion.choices[0].message.content.endswith("You said: hello")


def test_stream(client):
    """A stream's text is the answer's."""
    chunks = list(client.chat_completion(HELLO, model=MODEL, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.endswith("You said: hello")
    assert chunks[-1].usage.total_tokens > 0


def test_tools(client):
    """A named tool is called with arguments of its schema, streamed or not."""
    asked = [{"role": "user", "content": "use get_weather"}]
    call = client.chat_completion(asked, model=MODEL, tools=[TOOL]).choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "sample city"}
    chunks = list(client.chat_completion(asked, model=MODEL, tools=[TOOL], stream=True))
    pieces = [call.function.arguments for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert json.loads("".join(pieces)) == {"city": "sample city"}


def test_json_schema(client):
    """Structured output is an instance of the schema."""
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
    completion = client.chat_completion(HELLO, model=MODEL, response_format=wanted)
    assert json.loads(completion.choices[0].message.content) == {"city": "sample city"}


def test_json_schema_through_a_provider(sandbox):
    """The form that hf-inference rewrites a schema to is understood."""
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
    with InferenceClient(model=f"{sandbox.url}/hugging-face", provider="hf-inference", api_key="hf_test") as client:
        completion = client.chat_completion(HELLO, response_format=wanted)
    assert json.loads(completion.choices[0].message.content) == {"city": "sample city"}


def test_image(client):
    """An image is taken and mentioned."""
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    completion = client.chat_completion([{"role": "user", "content": parts}], model=MODEL)
    assert completion.choices[0].message.content.endswith("(1 image)")


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_error_statuses(client, status):
    """Each failing status is the client's HTTP error."""
    with pytest.raises(HfHubHTTPError) as raised:
        client.chat_completion(HELLO, model=MODEL, extra_body={"sandbox": {"fault": "status", "status": status}})
    assert raised.value.response.status_code == status


def test_bad_key(sandbox):
    """A wrong token is refused in the hub's words."""
    with (
        InferenceClient(base_url=f"{sandbox.url}/hugging-face/v1", api_key="bad") as client,
        pytest.raises(HfHubHTTPError, match="Invalid username or password"),
    ):
        client.chat_completion(HELLO, model=MODEL)


def test_stall_meets_the_clients_timeout(sandbox):
    """A provider that never answers is the client's timeout."""
    sandbox.behave("hugging-face", fault="stall")
    with (
        InferenceClient(base_url=f"{sandbox.url}/hugging-face/v1", api_key="hf_test", timeout=0.3) as client,
        pytest.raises(InferenceTimeoutError),
    ):
        client.chat_completion(HELLO, model=MODEL)
