"""The refusals of OpenAI's API and of those that copy it. Groq and Hugging Face overrule what they word differently."""

import json
import math
from http import HTTPStatus
from typing import Any

from sandbox.dialects.base import JSON_TYPE, Headers, Refusal, Reply
from sandbox.dialects.fields import WrongType
from sandbox.meter import Exceeded, Gauge, Gauges

# Shown while no limit is set, so that clients which read these headers have something to read.
_UNLIMITED_REQUESTS = Gauge(100_000_000, 99_999_999, 0.0)
_UNLIMITED_TOKENS = Gauge(10_000_000_000, 9_999_999_999, 0.0)

_LIMIT_WORDS = {
    "requests_per_minute": ("requests", "requests per min (RPM)"),
    "requests_per_day": ("requests", "requests per day (RPD)"),
    "tokens_per_minute": ("tokens", "tokens per min (TPM)"),
    "concurrency": ("requests", "concurrent requests"),
}


def duration(seconds: float) -> str:
    """Seconds in Go's form, as these headers have it: 7.66s, 2m59.56s, 120ms."""
    if seconds <= 0:
        return "0s"
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown


class OpenAIRefusals:
    """Error bodies of the form {"error": {"message", "type", "param", "code"}}."""

    docs = "https://platform.openai.com/account/rate-limits"

    def body(self, message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
        """An error body; all four keys, null where there is nothing to say."""
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def refusal(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Headers = (),
    ) -> Refusal:
        """A refusal with one error body."""
        body = json.dumps(self.body(message, kind, param, code)).encode()
        return Refusal(Reply(status, (JSON_TYPE, *headers), body))

    def missing_key(self) -> Refusal:
        """No key was sent."""
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        return self.refusal(401, message)

    def bad_key(self, key: str) -> Refusal:
        """The key is not one."""
        message = f"Incorrect API key provided: {key[:3]}{'*' * max(0, len(key) - 3)}."
        return self.refusal(401, message, code="invalid_api_key")

    def unknown_path(self, method: str, path: str) -> Refusal:
        """There is no such path."""
        return self.refusal(404, f"Invalid URL ({method} {path})")

    def unknown_model(self, model: str) -> Refusal:
        """There is no such model."""
        message = f"The model `{model}` does not exist or you do not have access to it."
        return self.refusal(404, message, code="model_not_found")

    def broken_json(self) -> Refusal:
        """The body is not JSON."""
        return self.refusal(400, "We could not parse the JSON body of your request. The API expects a JSON payload.")

    def missing(self, path: str) -> Refusal:
        """A required parameter is not there."""
        return self.refusal(
            400, f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter"
        )

    def wrong_type(self, finding: WrongType) -> Refusal:
        """A parameter has the wrong type."""
        message = f"Invalid type for '{finding.path}': expected {finding.expected}, but got {finding.got} instead."
        return self.refusal(400, message, param=finding.path, code="invalid_type")

    def wrong_value(self, path: str, message: str, code: str = "invalid_value") -> Refusal:
        """A parameter has a value that cannot be."""
        return self.refusal(400, message, param=path, code=code)

    def unknown_field(self, name: str) -> Refusal:
        """A parameter the API has not."""
        return self.refusal(400, f"Unrecognized request argument supplied: {name}")

    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt is longer than the context."""
        message = (
            f"This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} "
            "tokens. Please reduce the length of the messages."
        )
        return self.refusal(400, message, param="messages", code="context_length_exceeded")

    def rate_limited(self, model: str, exceeded: Exceeded, headers: Headers) -> Refusal:
        """A limit is reached; `headers` are those that tell the limits."""
        kind, words = _LIMIT_WORDS[exceeded.limit_name]
        message = self.limit_message(model, words, exceeded)
        retry = (("retry-after", str(max(1, math.ceil(exceeded.retry_after_s)))),)
        return self.refusal(429, message, kind=kind, code="rate_limit_exceeded", headers=(*retry, *headers))

    def limit_message(self, model: str, words: str, exceeded: Exceeded) -> str:
        """How a reached limit is told."""
        return (
            f"Rate limit reached for {model} in organization org-sandbox on {words}: Limit {exceeded.limit}, "
            f"Used {exceeded.used}, Requested {exceeded.requested}. Please try again in "
            f"{duration(exceeded.retry_after_s)}. Visit {self.docs} to learn more."
        )

    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """Any failing status."""
        headers: Headers = () if retry_after_s is None else (("retry-after", f"{math.ceil(retry_after_s)}"),)
        if status == 401:
            reply = self.bad_key("bad").reply
            return Refusal(Reply(status, (*reply.headers, *headers), reply.body))
        kinds = {
            404: ("invalid_request_error", "model_not_found", "The model does not exist (injected by the sandbox)."),
            429: ("requests", "rate_limit_exceeded", "Rate limit reached (injected by the sandbox)."),
            503: ("service_unavailable_error", None, "The engine is currently overloaded, please try again later."),
        }
        server = ("server_error", None, "The server had an error while processing your request. Sorry about that!")
        client = ("invalid_request_error", None, f"{_phrase(status)} (injected by the sandbox).")
        kind, code, message = kinds.get(status, server if status >= 500 else client)
        return self.refusal(status, message, kind=kind, code=code, headers=headers)

    def limit_headers(self, gauges: Gauges) -> Headers:
        """The x-ratelimit headers: requests per minute and tokens per minute."""
        return self.gauge_headers(gauges.requests_per_minute or gauges.requests_per_day, gauges.tokens_per_minute)

    def gauge_headers(self, requests: Gauge | None, tokens: Gauge | None) -> Headers:
        """The header family for two gauges, practically unlimited where None."""
        requests, tokens = requests or _UNLIMITED_REQUESTS, tokens or _UNLIMITED_TOKENS
        return (
            ("x-ratelimit-limit-requests", str(requests.limit)),
            ("x-ratelimit-limit-tokens", str(tokens.limit)),
            ("x-ratelimit-remaining-requests", str(requests.remaining)),
            ("x-ratelimit-remaining-tokens", str(tokens.remaining)),
            ("x-ratelimit-reset-requests", duration(requests.reset_s)),
            ("x-ratelimit-reset-tokens", duration(tokens.reset_s)),
        )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
