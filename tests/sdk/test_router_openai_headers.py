"""The headers around answers, as OpenAI's own client reads them: ids, times, and whether to ask again, and when."""

import openai
import pytest

from tests.support.stack import KEY, chat

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

MODEL = "groq/openai/gpt-oss-20b"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def refused():
    """The failing responses that the client of the test has met."""
    return []


@pytest.fixture
def client(stack, refused):
    hooks = {"response": [lambda response: refused.append(response) if response.status_code >= 400 else None]}
    http = openai.DefaultHttpxClient(event_hooks=hooks)
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=2, http_client=http) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/chat/completions", chat()),
        ("POST", "/v1/chat/completions", chat(stream=True)),
        ("POST", "/v1/chat/completions", chat(background=True)),
        ("POST", "/v1/chat/completions", chat(temperature=9)),
        ("POST", "/v1/chat/completions", chat(model="no-such")),
        ("DELETE", "/v1/chat/completions", None),
        ("GET", "/v1/models", None),
        ("GET", "/no/such/path", None),
        ("GET", "/livez", None),
    ],
)
def test_every_answer_has_its_id_and_its_time(stack, method, path, body):
    """Good or bad, streamed or not: an id of the request, and whole milliseconds until the headers left."""
    response = stack.session.request(method, stack.api.url + path, json=body, timeout=30)
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["openai-processing-ms"].isdecimal()


def test_the_time_holds_the_wait(client, stack):
    """What the provider took is part of the time that is told."""
    stack.sandbox.behave("groq", latency_ms=200)
    raw = client.chat.completions.with_raw_response.create(**ASKED)
    assert int(raw.headers["openai-processing-ms"]) >= 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_a_failed_job_says_when_to_come_again(client, stack, status, stream):
    """What a provider asked to wait reaches the caller of a job that failed for it: header and metadata."""
    stack.sandbox.behave("groq", fault="status", status=status, retry_after=60)
    with pytest.raises(openai.APIStatusError) as raised:
        client.with_options(max_retries=0).chat.completions.create(**ASKED, stream=stream, extra_body={"deadline_s": 3})
    headers = raised.value.response.headers
    wait_s = raised.value.response.json()["routing_metadata"]["retry_after"]
    assert 50 < wait_s <= 60
    assert int(headers["retry-after"]) - 1 < wait_s <= int(headers["retry-after"])
    assert int(headers["retry-after-ms"]) == pytest.approx(wait_s * 1000, abs=1)


def test_the_wait_is_one_that_clients_make(client, stack):
    """The official SDKs give up when they are to wait more than 120 s: no more is told."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=3600)
    with pytest.raises(openai.RateLimitError) as raised:
        client.with_options(max_retries=0).chat.completions.create(**ASKED, extra_body={"deadline_s": 3})
    assert raised.value.response.headers["retry-after"] == "120"
    assert raised.value.response.json()["routing_metadata"]["retry_after"] > 3000


def test_the_client_comes_back_in_time(client, stack, refused):
    """The client waits as it was told, and is answered when it asks again."""
    stack.sandbox.behave("groq", fault="status", status=429, retry_after=2, times=1)
    completion = client.chat.completions.create(**ASKED, extra_body={"deadline_s": 1})
    assert completion.choices[0].message.content.endswith("You said: hello")
    assert [response.headers["retry-after"] for response in refused] == ["2"]
    assert stack.sandbox.calls()["total"] == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_deadline_that_has_passed_is_not_tried_again(client, stack, refused, stream):
    """The client repeats any 504 by itself, but not a job's last one: each would cost and take as much again."""
    stack.sandbox.behave("groq", latency_ms=60_000)
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(**ASKED, stream=stream, extra_body={"deadline_s": 0.5})
    assert (raised.value.status_code, raised.value.code) == (504, "deadline_exceeded")
    assert [response.headers["x-should-retry"] for response in refused] == ["false"]
    assert stack.sandbox.calls()["total"] == 1
