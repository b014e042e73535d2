"""Claims about endpoints: a base URL and a full one reach the same place."""

import pytest

from config.configuration import ConfigurationError
from workers.providers.endpoint import (
    chat_url,
    generate_models_url,
    generate_url,
    messages_models_url,
    messages_url,
    models_url,
    responses_url,
)

GOOGLE = "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1/chat/completions"),
        ("https://api.groq.com/openai/v1/", "https://api.groq.com/openai/v1/chat/completions"),
        (" http://localhost:11434 ", "http://localhost:11434/v1/chat/completions"),
        ("https://x.test/v1?api-version=7", "https://x.test/v1/chat/completions?api-version=7"),
    ],
)
def test_chat_url(endpoint, url):
    """An endpoint may be a full URL, a base or a bare host, and keeps its query; models and responses stand beside."""
    assert chat_url(endpoint) == url
    assert models_url(endpoint) == url.replace("/chat/completions", "/models")
    assert responses_url(endpoint) == url.replace("/chat/completions", "/responses")
    assert responses_url(responses_url(endpoint)) == responses_url(endpoint)
    assert chat_url(responses_url(endpoint)) == url


@pytest.mark.parametrize(
    "endpoint",
    ["https://api.anthropic.com", "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/messages"],
)
def test_messages_url(endpoint):
    """Anthropic's endpoint is completed as its own SDKs complete it."""
    assert messages_url(endpoint) == "https://api.anthropic.com/v1/messages"
    assert messages_models_url(endpoint) == "https://api.anthropic.com/v1/models"


def test_messages_url_behind_a_prefix():
    """A prefix in front of Anthropic's paths is kept."""
    assert messages_url("http://127.0.0.1:1/anthropic") == "http://127.0.0.1:1/anthropic/v1/messages"


@pytest.mark.parametrize(
    "endpoint",
    [
        GOOGLE,
        f"{GOOGLE}/v1beta",
        f"{GOOGLE}/v1beta/models",
        f"{GOOGLE}/v1beta/models/gemini-1.5-flash-latest:generateContent",
        f"{GOOGLE}/v1beta/models/gemini-1.5-flash-latest:streamGenerateContent?alt=sse",
    ],
)
def test_generate_url(endpoint):
    """The asked-for model replaces the one that stands in Gemini's endpoint."""
    url = f"{GOOGLE}/v1beta/models/gemini-2.5-flash:generateContent"
    assert generate_url(endpoint, "gemini-2.5-flash") == url
    assert generate_url(endpoint, "models/gemini-2.5-flash") == url
    assert generate_models_url(endpoint) == f"{GOOGLE}/v1beta/models"


def test_stream_url():
    """A stream has a method of its own, whose answer comes as events; a query of the endpoint's is kept."""
    url = f"{GOOGLE}/v1beta/models/m:streamGenerateContent"
    assert generate_url(f"{GOOGLE}/v1beta", "m", stream=True) == f"{url}?alt=sse"
    assert generate_url(f"{GOOGLE}/v1beta?x=1&alt=json", "m", stream=True) == f"{url}?x=1&alt=sse"


def test_generate_url_quotes():
    """A model's name cannot leave its place in the path; a tuned model keeps its collection."""
    assert generate_url(GOOGLE, "a/../b?c#d\ud800").endswith("/v1beta/models/a%2F..%2Fb%3Fc%23d%3F:generateContent")
    assert generate_url(GOOGLE, "tunedModels/mine").endswith("/v1beta/tunedModels/mine:generateContent")


@pytest.mark.parametrize(
    "endpoint", ["", "api.groq.com/openai/v1", "ftp://x.test/v1", "http://", "http://[::1", "http://x:y"]
)
@pytest.mark.parametrize(
    "build",
    [
        *(chat_url, models_url, messages_url, messages_models_url, generate_models_url),
        lambda endpoint: generate_url(endpoint, "m"),
    ],
)
def test_broken_endpoint(endpoint, build):
    """An endpoint that is no http(s) URL is a configuration error that shows it."""
    with pytest.raises(ConfigurationError, match="endpoint"):
        build(endpoint)
