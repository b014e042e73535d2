"""Anthropic's own client against the sandbox, unmodified."""

import base64

import anthropic
import pytest
from pydantic import BaseModel

pytestmark = pytest.mark.sdk

MODEL = "claude-sonnet-5"
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PNG = base64.b64encode(b"\x89PNG").decode()


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture
def client(sandbox):
    with anthropic.Anthropic(base_url=f"{sandbox.url}/anthropic", api_key="sk-ant-test", max_retries=0) as made:
        yield made


def ask(client, messages=HELLO, **fields):
    return client.messages.create(model=MODEL, max_tokens=100, messages=messages, **fields)


def test_chat(client):
    """A message parses, with its usage and limits."""
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=100, messages=HELLO, system="be brief")
    message = raw.parse()
    assert message.content[0].text == f"[sandbox anthropic/{MODEL}] You said: hello"
    assert (message.stop_reason, message.usage.input_tokens) == ("end_turn", 4)
    assert int(raw.headers["anthropic-ratelimit-requests-remaining"]) > 0
    assert message._request_id.startswith("req_")


def test_usage_details(client):
    """Cached and thinking tokens are where the client looks for them."""
    behaviour = {"sandbox": {"cached_tokens": 1, "reasoning_tokens": 7}}
    usage = ask(client, extra_body=behaviour).usage
    assert (usage.cache_read_input_tokens, usage.output_tokens_details.thinking_tokens) == (1, 7)


def test_stream(client):
    """The streaming helper assembles the message."""
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == ask(client).content[0].text
    assert final.usage.output_tokens == ask(client).usage.output_tokens


def test_tools(client):
    """A named tool is used, and its result is answered."""
    asked = [{"role": "user", "content": "use get_weather"}]
    message = ask(client, asked, tools=[TOOL])
    used = message.content[0]
    assert (used.name, used.input, message.stop_reason) == ("get_weather", {"city": "sample city"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": used.id, "content": "sunny"}
    turns = [*asked, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    assert ask(client, turns, tools=[TOOL]).content[0].text.endswith("The tool said: sunny")


def test_streamed_tools(client):
    """The streaming helper assembles a tool's input from its pieces."""
    asked = [{"role": "user", "content": "use get_weather"}]
    with client.messages.stream(model=MODEL, max_tokens=100, messages=asked, tools=[TOOL]) as stream:
        used = stream.get_final_message().content[0]
    assert (used.name, used.input) == ("get_weather", {"city": "sample city"})


def test_json_schema(client):
    """Structured output parses into the caller's own model."""
    message = client.messages.parse(model=MODEL, max_tokens=100, messages=HELLO, output_format=Weather)
    assert isinstance(message.parsed_output, Weather)


def test_image(client):
    """An image is taken and mentioned."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    message = ask(client, [{"role": "user", "content": [{"type": "text", "text": "look"}, image]}])
    assert message.content[0].text.endswith("(1 image)")


def test_models(client):
    """Models are listed and shown."""
    listed = list(client.models.list())
    assert MODEL in {model.id for model in listed}
    assert client.models.retrieve(MODEL).display_name


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_error_classes(client, status, error, kind):
    """Each failing status is the class, and the type, that the client's users look for."""
    behaviour = {"sandbox": {"fault": "status", "status": status}}
    with pytest.raises(error) as raised:
        ask(client, extra_body=behaviour)
    assert raised.value.body["error"]["type"] == kind


def test_refusal_of_a_field(client):
    """The client's API version has no sampling fields; one that is sent past it is refused."""
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        ask(client, extra_body={"temperature": 1.0})


def test_bad_key(client):
    """A wrong key is an AuthenticationError."""
    with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
        ask(client.with_options(api_key="bad"))


def test_streamed_thinking(client):
    """The streaming helper assembles a thinking block with its signature, as the message in one piece has it."""
    thinks = {"extra_body": {"sandbox": {"reasoning": "let me think"}}}
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO, **thinks) as stream:
        final = stream.get_final_message()
    assert final.content[0] == ask(client, **thinks).content[0]
    assert (final.content[0].type, final.content[0].thinking) == ("thinking", "let me think")
    assert final.content[0].signature


def test_refusal(client):
    """A refusal has its stop reason and its words, streamed as well."""
    refuses = {"extra_body": {"sandbox": {"refusal": "no"}}}
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO, **refuses) as stream:
        final = stream.get_final_message()
    assert (final.stop_reason, final.stop_details.explanation) == ("refusal", "no")
    assert ask(client, **refuses).stop_details == final.stop_details


def test_error_in_a_stream(client):
    """An error event is the client's own error."""
    fails = {"extra_body": {"sandbox": {"fault": "error", "status": 529}}}
    with (
        client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO, **fails) as stream,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        stream.until_done()
    assert caught.value.body["error"]["type"] == "overloaded_error"
