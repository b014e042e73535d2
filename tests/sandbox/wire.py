"""A plain HTTP client for tests of wire formats: nothing retried, nothing interpreted."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

GROQ = "/groq/openai/v1/chat/completions"
OPENAI = "/openai/v1/chat/completions"
HUGGING_FACE = "/hugging-face/v1/chat/completions"
GEMINI = "/google-gemini/v1beta/models/gemini-2.5-flash:generateContent"
GEMINI_STREAM = "/google-gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
ANTHROPIC = "/anthropic/v1/messages"
CHAT_PATHS = {
    "groq": GROQ,
    "openai": OPENAI,
    "hugging-face": HUGGING_FACE,
    "google-gemini": GEMINI,
    "anthropic": ANTHROPIC,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        """The data of each server-sent event: parsed JSON, or the text `[DONE]`."""
        data = [line.removeprefix("data: ") for line in self.body.decode().splitlines() if line.startswith("data: ")]
        return [text if text == "[DONE]" else json.loads(text) for text in data]


def key_headers(provider: str, key: str = "sk-test") -> dict[str, str]:
    """A provider's way of sending a key."""
    if provider == "google-gemini":
        return {"x-goog-api-key": key}
    if provider == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"Authorization": f"Bearer {key}"}


def chat_body(provider: str, text: str = "hello", **fields: Any) -> dict[str, Any]:
    """The smallest chat request of a provider's dialect, with more fields on top."""
    if provider == "google-gemini":
        return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}
    body = {"model": "model-1", "messages": [{"role": "user", "content": text}], **fields}
    return {"max_tokens": 1000, **body} if provider == "anthropic" else body


def send(
    url: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, method: str = "POST"
) -> Answer:
    """One request on a connection of its own; the key of the path's provider unless `headers` are given."""
    provider = path.split("/")[1]
    sent = key_headers(provider) if headers is None else headers
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **sent})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def chat(url: str, provider: str, text: str = "hello", *, key: str = "sk-test", **fields: Any) -> Answer:
    """One chat call in the provider's dialect."""
    return send(url, CHAT_PATHS[provider], chat_body(provider, text, **fields), headers=key_headers(provider, key))


def text_of(provider: str, answer: Answer) -> str:
    """What the answer says."""
    if provider == "google-gemini":
        return answer.json["candidates"][0]["content"]["parts"][0]["text"]
    if provider == "anthropic":
        return answer.json["content"][0]["text"]
    return answer.json["choices"][0]["message"]["content"]
