"""OpenAI's own client against the running product, unmodified: its error classes, and when it asks again."""

import re

import openai
import pytest

from tests.support.process_node import wait_until
from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

MODEL = "groq/openai/gpt-oss-20b"
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def waits(caplog):
    """How long the client said it would wait before each time it asked again, in seconds."""
    caplog.set_level("INFO", logger="openai")
    wait = re.compile(r"Retrying request in ([\d.]+) seconds")

    def said():
        return [float(match[1]) for record in caplog.records if (match := wait.match(record.getMessage()))]

    return said


def ask(client, **fields):
    return client.chat.completions.create(**{"model": MODEL, "messages": HELLO, **fields})


def test_wrong_key(client):
    """A key nobody has is an AuthenticationError with OpenAI's code."""
    with pytest.raises(openai.AuthenticationError) as raised:
        ask(client.with_options(api_key="wrong"))
    assert raised.value.code == "invalid_api_key"
    assert raised.value.request_id == raised.value.response.headers["x-request-id"]


@pytest.mark.parametrize(
    "call", [lambda client: ask(client, model="no-such"), lambda client: client.models.retrieve("no-such")]
)
def test_unknown_model(client, call):
    """A model nobody has is a NotFoundError with OpenAI's code."""
    with pytest.raises(openai.NotFoundError) as raised:
        call(client)
    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 9}, "temperature"),
        ({"messages": []}, "messages"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
    ],
)
def test_bad_field(client, fields, param):
    """A bad field is a BadRequestError that names it."""
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, **fields)
    assert (raised.value.param, raised.value.type) == (param, "invalid_request_error")


def test_context_length(client, stack):
    """A prompt that is too long for everybody has the code that callers look for."""
    stack.sandbox.behave("*", context_length=1)
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client)
    assert raised.value.code == "context_length_exceeded"


def test_no_capacity(client, stack):
    """Providers that are full beyond the deadline are a RateLimitError."""
    stack.sandbox.behave("*", fault="status", status=429, retry_after=3600)
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client, extra_body={"deadline_s": 5})
    assert raised.value.code == "rate_limit_exceeded"


def test_providers_that_fail(client, stack):
    """Providers that all fail are an InternalServerError, with what was tried."""
    stack.sandbox.behave("*", fault="status", status=500)
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client)
    assert raised.value.code == "all_providers_failed"
    assert raised.value.response.json()["routing_metadata"]["attempts"]


def test_clients_own_timeout(client, stack):
    """A client that waits no longer gets its APITimeoutError, and the call it asked for is ended."""
    stack.sandbox.behave("groq", latency_ms=60_000)
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=1.0))
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed connection")


def test_it_asks_again_after_a_server_error(client, stack, waits):
    """An error that passes costs the client's user nothing: the repeated request is answered."""
    stack.sandbox.behave("groq", fault="status", status=503)
    with pytest.raises(openai.InternalServerError):
        ask(client)
    calls_of_a_request = stack.sandbox.calls()["total"]
    stack.sandbox.reset()
    stack.sandbox.behave("groq", fault="status", status=503, times=calls_of_a_request)
    raw = client.with_options(max_retries=1).chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    assert raw.parse().choices[0].message.content.endswith("You said: hello")
    assert raw.retries_taken == len(waits()) == 1


def test_it_asks_no_more_often_than_it_may(client, stack, waits):
    """`max_retries` bounds how often a request is repeated."""
    stack.sandbox.behave("groq", fault="status", status=503)
    with pytest.raises(openai.InternalServerError):
        ask(client.with_options(max_retries=2))
    assert len(waits()) == 2


def test_it_waits_as_long_as_it_is_told(stack, waits):
    """While the store is full requests are refused with Retry-After, and the client comes back after just that time."""
    refused = []

    def make_room(response):
        if response.status_code == 503:
            refused.append(response.headers["retry-after"])
            stack.redis.client.config_set("maxmemory", 0)

    http = openai.DefaultHttpxClient(event_hooks={"response": [make_room]})
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=2, http_client=http) as client:
        stack.redis.client.config_set("maxmemory", 1)
        try:
            completion = ask(client)
        finally:
            stack.redis.client.config_set("maxmemory", 0)
    assert completion.choices[0].message.content.endswith("You said: hello")
    assert [float(seconds) for seconds in refused] == waits()
    assert len(refused) == 1


def test_it_does_not_repeat_what_would_do_no_good(client, stack, waits):
    """The client repeats every 409 by itself, but not one that says X-Should-Retry: false."""
    patient = client.with_options(max_retries=3)
    key = {"Idempotency-Key": "sdk-conflict"}
    ask(patient, extra_headers=key)
    with pytest.raises(openai.ConflictError) as raised:
        ask(patient, temperature=0.5, extra_headers=key)
    assert raised.value.code == "idempotency_key_reused"
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert waits() == []
    assert stack.sandbox.calls()["total"] == 1
