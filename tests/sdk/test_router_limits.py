"""A tenant's limits, as the official clients meet them."""

import anthropic
import openai
import pytest

from tests.support.stack import chat

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

ASKED = {"model": "groq/openai/gpt-oss-20b", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def fresh(stack):
    """The running product, where nobody has used anything of a limit."""

    def forget():
        for key in stack.redis.client.scan_iter("mr:limits:*"):
            stack.redis.client.delete(key)

    forget()
    yield stack
    forget()


@pytest.fixture
def client_of(fresh):
    """A client of a tenant, and the responses that refused it."""
    made = []

    def make(tenant, max_retries):
        refused = []
        hooks = {"response": [lambda response: refused.append(response) if response.status_code >= 400 else None]}
        http = openai.DefaultHttpxClient(event_hooks=hooks)
        url = f"{fresh.api.url}/v1"
        made.append(openai.OpenAI(base_url=url, api_key=f"ak-{tenant}", max_retries=max_retries, http_client=http))
        return made[-1], refused

    yield make
    for client in made:
        client.close()


def test_a_limit_is_a_rate_limit_error(client_of):
    """With OpenAI's type and code, and the headers beside it."""
    client, _ = client_of("metered", max_retries=0)
    for _ in range(3):
        client.chat.completions.create(**ASKED)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(**ASKED)
    assert (raised.value.type, raised.value.code) == ("requests", "rate_limit_exceeded")
    assert raised.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**ASKED, stream=True)


def test_the_client_comes_again_when_it_was_told_to(client_of, fresh):
    """It waits for Retry-After, and is answered when the job before it has ended."""
    fresh.sandbox.behave("groq", latency_ms=700, times=1)
    client, refused = client_of("narrow", max_retries=8)
    first = fresh.post(chat(background=True), headers={"Authorization": "Bearer ak-narrow"})
    assert first.status_code == 202
    assert client.chat.completions.create(**ASKED).choices[0].message.content
    assert refused
    assert {response.status_code for response in refused} == {429}
    assert refused[0].headers["retry-after"] == "1"


def test_a_spent_quota_is_not_tried_again(client_of):
    """The client would wait for nothing."""
    client, refused = client_of("daily", max_retries=2)
    client.chat.completions.create(**ASKED)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(**ASKED)
    assert raised.value.code == "insufficient_quota"
    assert len(refused) == 1


def test_anthropics_client_knows_it_as_well(fresh):
    """As a rate limit error in its own form."""
    with anthropic.Anthropic(base_url=fresh.api.url, api_key="ak-metered", max_retries=0) as client:
        for _ in range(3):
            client.messages.create(**ASKED, max_tokens=100)
        with pytest.raises(anthropic.RateLimitError) as raised:
            client.messages.create(**ASKED, max_tokens=100)
    assert raised.value.body["error"]["type"] == "rate_limit_error"
