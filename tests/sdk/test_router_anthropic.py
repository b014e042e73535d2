"""Anthropic's own client against the running product, unmodified."""

import base64

import anthropic
import pytest
from pydantic import BaseModel

pytestmark = pytest.mark.sdk

MODEL = "groq/openai/gpt-oss-20b"
GEMINI = "google-gemini/gemini-2.5-flash"
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASKED = [{"role": "user", "content": "use get_weather"}]
PNG = base64.b64encode(b"\x89PNG").decode()


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture
def client(stack):
    with anthropic.Anthropic(base_url=stack.api.url, api_key="ak-demo123", max_retries=0) as made:
        yield made


def ask(client, messages=HELLO, model=MODEL, **fields):
    return client.messages.create(model=model, max_tokens=100, messages=messages, **fields)


def test_create(client):
    """A message parses, with its usage, its request's id and how it was routed."""
    message = ask(client, system="be brief", stop_sequences=["never"], metadata={"user_id": "u1"})
    assert message.content[0].text == "[sandbox groq/openai/gpt-oss-20b] You said: hello"
    assert (message.stop_reason, message.type) == ("end_turn", "message")
    assert message.usage.output_tokens > 0
    assert message._request_id.startswith("req_")
    assert message.routing_metadata["attempts"][0]["provider"] == "groq"


def test_a_bearer_token_is_a_key_too(stack):
    """The client's other way to sign in is understood."""
    with anthropic.Anthropic(base_url=stack.api.url, auth_token="ak-demo123", max_retries=0) as client:
        assert ask(client).stop_reason == "end_turn"


def test_usage_details(client):
    """Cached and thinking tokens are where the client looks for them."""
    usage = ask(client, extra_body={"sandbox": {"cached_tokens": 1, "reasoning_tokens": 7}}).usage
    assert (usage.cache_read_input_tokens, usage.output_tokens_details.thinking_tokens) == (1, 7)


@pytest.mark.parametrize("model", [MODEL, GEMINI])
def test_a_tool_loop(client, model):
    """A named tool is used, and its result is answered."""
    message = ask(client, ASKED, model, tools=[TOOL], tool_choice={"type": "auto"})
    [used] = message.content
    assert (used.name, used.input, message.stop_reason) == ("get_weather", {"city": "sample city"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": used.id, "content": "sunny"}
    turns = [*ASKED, message.to_param(), {"role": "user", "content": [result]}]
    assert "sunny" in ask(client, turns, model, tools=[TOOL]).content[0].text


def test_an_image(client):
    """An image reaches a model that sees."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    message = ask(client, [{"role": "user", "content": [{"type": "text", "text": "look"}, image]}], GEMINI)
    assert message.content[0].text.endswith("(1 image)")


def test_structured_output(client):
    """Structured output parses into the caller's own model."""
    message = client.messages.parse(model=MODEL, max_tokens=100, messages=HELLO, output_format=Weather)
    assert isinstance(message.parsed_output, Weather)


def test_thinking_and_cache_marks_are_taken(client):
    """What only Claude knows harms nobody at another provider."""
    system = [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    assert ask(client, model=GEMINI, system=system, thinking=thinking).stop_reason == "end_turn"


def test_count_tokens(client):
    """Tokens are counted without a call."""
    assert client.messages.count_tokens(model=MODEL, messages=HELLO, tools=[TOOL]).input_tokens > 0


@pytest.mark.parametrize(
    ("fields", "error", "kind"),
    [
        ({"tool_choice": {"type": "any"}}, anthropic.BadRequestError, "invalid_request_error"),
        ({"model": "no-such-model"}, anthropic.NotFoundError, "not_found_error"),
        ({"extra_body": {"deadline_s": 0.5}}, anthropic.InternalServerError, "timeout_error"),
    ],
)
def test_error_classes(stack, client, fields, error, kind):
    """Each error is the class, and the type, that the client's users look for."""
    stack.sandbox.behave("groq", latency_ms=5000)
    with pytest.raises(error) as raised:
        ask(client, **fields)
    assert raised.value.type == kind
    assert raised.value.request_id.startswith("req_")


def test_a_wrong_key(client):
    """A wrong key is an AuthenticationError."""
    with pytest.raises(anthropic.AuthenticationError) as raised:
        ask(client.with_options(api_key="wrong"))
    assert raised.value.type == "authentication_error"


def test_a_rate_limit(stack, client):
    """No room before the deadline is a RateLimitError."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=60)
    with pytest.raises(anthropic.RateLimitError):
        ask(client, extra_body={"deadline_s": 5})


@pytest.mark.parametrize("model", [MODEL, GEMINI])
def test_stream(client, model):
    """The streaming helper assembles the message that is not streamed, and its usage."""
    with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    whole = ask(client, model=model)
    assert text == final.content[0].text == whole.content[0].text
    assert (final.usage, final.stop_reason) == (whole.usage, whole.stop_reason)


def test_streamed_tools(client):
    """The streaming helper assembles a tool's input from its pieces."""
    with client.messages.stream(model=MODEL, max_tokens=100, messages=ASKED, tools=[TOOL]) as stream:
        final = stream.get_final_message()
    assert (final.content[0].name, final.content[0].input) == ("get_weather", {"city": "sample city"})
    assert final.stop_reason == "tool_use"


def test_raw_events_tell_the_route(client):
    """Every event is one the client knows, and message_delta says how the job was routed."""
    events = list(client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, stream=True))
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    assert events[-2].routing_metadata["attempts"][0]["provider"] == "groq"


def test_an_error_of_a_stream_is_raised(stack, client):
    """A stream whose job fails raises the client's own error."""
    stack.sandbox.behave("*", fault="status", status=500)
    with pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, stream=True))
