"""The refusals of Anthropic's API, and its rate-limit headers.

Sources: docs.anthropic.com/en/api/errors and /en/api/rate-limits.
"""

import json
import math
import time
from datetime import UTC, datetime, timedelta

from sandbox.dialects.base import JSON_TYPE, Headers, Refusal, Reply
from sandbox.identifiers import Identifiers
from sandbox.meter import Exceeded, Gauge, Gauges

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MESSAGES = {401: "invalid x-api-key", 404: "model: sandbox-fault", 500: "Internal server error", 529: "Overloaded"}
# Shown while no limit is set, so that clients which read these headers have something to read.
_UNLIMITED_REQUESTS = Gauge(100_000_000, 99_999_999, 0.0)
_UNLIMITED_TOKENS = Gauge(10_000_000_000, 9_999_999_999, 0.0)


class AnthropicRefusals:
    """Error bodies of the form {"type": "error", "error": {"type", "message"}, "request_id"}."""

    def __init__(self, identifiers: Identifiers) -> None:
        self._identifiers = identifiers

    def refusal(self, status: int, message: str, headers: Headers = ()) -> Refusal:
        """A refusal; its type follows from the status."""
        kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        request_id = self._identifiers.new("req_")
        body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
        return Refusal(Reply(status, (JSON_TYPE, ("request-id", request_id), *headers), json.dumps(body).encode()))

    def invalid(self, path: str, message: str) -> Refusal:
        """A field that cannot be."""
        return self.refusal(400, f"{path}: {message}")

    def rate_limited(self, exceeded: Exceeded) -> Refusal:
        """A limit is reached."""
        if exceeded.limit_name == "concurrency":
            message = "Number of concurrent connections has exceeded your rate limit. Please try again later."
        else:
            what = exceeded.limit_name.replace("_per_", " per ").replace("_", " ")
            message = (
                f"This request would exceed your organization's rate limit of {exceeded.limit:,} {what}. Please try "
                "again later."
            )
        retry = ("retry-after", str(max(1, math.ceil(exceeded.retry_after_s))))
        return self.refusal(429, message, (retry, *limit_headers(exceeded.gauges)))

    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """Any failing status."""
        headers: Headers = () if retry_after_s is None else (("retry-after", str(math.ceil(retry_after_s))),)
        return self.refusal(status, _MESSAGES.get(status, f"status {status}, injected by the sandbox"), headers)


def limit_headers(gauges: Gauges) -> Headers:
    """The anthropic-ratelimit headers; resets are points in time (RFC 3339)."""
    requests = gauges.requests_per_minute or gauges.requests_per_day or _UNLIMITED_REQUESTS
    spent = gauges.tokens_per_minute or _UNLIMITED_TOKENS
    now = datetime.fromtimestamp(int(time.time()), UTC)
    headers: list[tuple[str, str]] = []
    for name, gauge in (("requests", requests), ("tokens", spent), ("input-tokens", spent), ("output-tokens", spent)):
        reset = now + timedelta(seconds=math.ceil(gauge.reset_s))
        headers += [
            (f"anthropic-ratelimit-{name}-limit", str(gauge.limit)),
            (f"anthropic-ratelimit-{name}-remaining", str(gauge.remaining)),
            (f"anthropic-ratelimit-{name}-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ]
    return tuple(headers)
