"""OpenAI's own client on the legacy completions of the running product, unmodified."""

import openai
import pytest

pytestmark = pytest.mark.sdk

MODEL = "groq/openai/gpt-oss-20b"
SAID = "[sandbox groq/openai/gpt-oss-20b] You said: hello"


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key="ak-demo123", max_retries=0) as made:
        yield made


def ask(client, **fields):
    return client.completions.create(**{"model": MODEL, "prompt": "hello", "max_tokens": 100, **fields})


def test_create(client):
    """A completion parses, with its usage, its request's id and how it was routed."""
    completion = ask(client, stop=["never"], temperature=0)
    assert [(choice.text, choice.finish_reason) for choice in completion.choices] == [(SAID, "stop")]
    assert completion.id.startswith("cmpl-")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion._request_id.startswith("req_")
    assert completion.routing_metadata["attempts"][0]["provider"] == "groq"


def test_echo(client):
    """The prompt stands before the text."""
    assert ask(client, echo=True).choices[0].text == f"hello{SAID}"


def test_error_classes(client):
    """What cannot be is a BadRequestError that names its field; a wrong key an AuthenticationError."""
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, prompt=["one", "two"])
    assert raised.value.param == "prompt"
    with pytest.raises(openai.AuthenticationError):
        ask(client.with_options(api_key="wrong"))


def test_stream(client):
    """The pieces of a stream add up to the text, the last one tells the usage."""
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert text == SAID
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].usage == ask(client).usage
