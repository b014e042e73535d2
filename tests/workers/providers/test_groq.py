"""Claims about Groq's accent."""

import json

import pytest

from routing.errors import NotExpressible, ProviderRateLimited
from workers.providers.base import Account, Reply
from workers.providers.groq import GroqProvider

GROQ = GroqProvider(Account(name="groq", endpoint="https://api.groq.com/openai/v1/chat/completions", api_key="gsk_x"))
HELLO = [{"role": "user", "content": "Hello!"}]


def sent(**request):
    return json.loads(GROQ.call("openai/gpt-oss-20b", {"messages": HELLO, **request}).body)


@pytest.mark.parametrize("request_", [{"n": 2}, {"logprobs": True}, {"top_logprobs": 3}, {"audio": {"voice": "x"}}])
def test_refused(request_):
    """What Groq answers with 400, and what would change the answer's form, is refused by name."""
    with pytest.raises(NotExpressible, match="groq cannot express") as caught:
        sent(**request_)
    assert caught.value.param in request_


def test_dropped():
    """Hints Groq answers with 400, and refused fields that ask for nothing, are left out."""
    asked = {"logit_bias": {"1": 2}, "n": 1, "logprobs": False, "verbosity": "low", "modalities": ["text"]}
    assert sent(**asked) == {"model": "openai/gpt-oss-20b", "messages": HELLO}


def test_messages():
    """Names and the leavings of an earlier answer are not sent; a refusal's words are its content."""
    history = [
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "assistant", "content": None, "refusal": "No.", "annotations": [], "reasoning_content": "hm"},
    ]
    assert sent(messages=history)["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "No."},
    ]


@pytest.mark.parametrize(("ours", "theirs"), [("minimal", "low"), ("xhigh", "high"), ("none", "none")])
def test_effort(ours, theirs):
    """An effort Groq has no word for becomes its nearest."""
    assert sent(reasoning_effort=ours)["reasoning_effort"] == theirs


def test_rate_limit():
    """Groq's 429 waits for the window that is used up."""
    headers = {
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    body = {"error": {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded"}}
    with pytest.raises(ProviderRateLimited) as caught:
        GROQ.completion("m", Reply(429, headers, json.dumps(body).encode()))
    assert caught.value.retry_after_s == pytest.approx(7.66)
