"""The refusals of the Gemini API, in google.rpc.Status form. Sources: ai.google.dev/gemini-api/docs/troubleshooting."""

import json
from typing import Any

from sandbox.dialects.base import JSON_TYPE, Refusal, Reply
from sandbox.meter import Exceeded

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_QUOTAS = {
    "requests_per_minute": ("generate_content_free_tier_requests", "GenerateRequestsPerMinutePerProjectPerModel"),
    "requests_per_day": ("generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel"),
    "tokens_per_minute": (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute",
    ),
    "concurrency": ("generate_content_concurrent_requests", "GenerateConcurrentRequestsPerProjectPerModel"),
}
_HTML = (
    "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not Found)!!1</title>\n"
    "  <p><b>404.</b> <ins>That&#8217;s an error.</ins>\n  <p>The requested URL was not found on this server. "
    "<ins>That&#8217;s all we know.</ins>\n"
)


def refusal(status: int, message: str, details: list[dict[str, Any]] | None = None) -> Refusal:
    """A refusal as google.rpc.Status."""
    default = "INTERNAL" if status >= 500 else "FAILED_PRECONDITION"
    error: dict[str, Any] = {"code": status, "message": message, "status": _STATUSES.get(status, default)}
    if details:
        error["details"] = details
    return Refusal(Reply(status, (JSON_TYPE,), json.dumps({"error": error}).encode()))


def missing_key() -> Refusal:
    """No key was sent."""
    message = (
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API."
    )
    return refusal(403, message)


def bad_key() -> Refusal:
    """The key is not one; Google answers 400 and says why in the details."""
    message = "API key not valid. Please pass a valid API key."
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    told = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message}
    return refusal(400, message, [reason, told])


def unknown_path() -> Refusal:
    """There is no such path; Google's front end answers with a page."""
    return Refusal(Reply(404, (("Content-Type", "text/html; charset=UTF-8"),), _HTML.encode()))


def unknown_model(model: str, version: str, method: str) -> Refusal:
    """There is no such model."""
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for {method}. Call ListModels to "
        "see the list of available models and their supported methods."
    )
    return refusal(404, message)


def violations(found: list[tuple[str, str]]) -> Refusal:
    """The payload does not fit the message it should be; each finding is a field and what is wrong with it."""
    message = "\n".join(description for _, description in found)
    listed = [{"field": field, "description": text} if field else {"description": text} for field, text in found]
    return refusal(400, message, [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}])


def invalid(field: str, description: str) -> Refusal:
    """The message is well formed and cannot be served."""
    return refusal(400, f"* GenerateContentRequest.{field}: {description}\n")


def rate_limited(model: str, exceeded: Exceeded) -> Refusal:
    """A quota is reached: which one, and when to come back."""
    metric, quota = _QUOTAS[exceeded.limit_name]
    delay = f"{exceeded.retry_after_s:.9f}s"
    metric = f"generativelanguage.googleapis.com/{metric}"
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n"
        f"* Quota exceeded for metric: {metric}, limit: {exceeded.limit}, model: {model}\n"
        f"Please retry in {delay}."
    )
    violation = {
        "quotaMetric": metric,
        "quotaId": f"{quota}-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(exceeded.limit),
    }
    failed = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
    return refusal(429, message, [failed, _HELP, _retry_info(exceeded.retry_after_s)])


def failure(status: int, retry_after_s: float | None) -> Refusal:
    """Any failing status."""
    messages = {
        401: "Request had invalid authentication credentials.",
        403: "The caller does not have permission.",
        404: "models/sandbox-fault is not found for API version v1beta.",
        429: "Resource has been exhausted (e.g. check quota).",
        500: "An internal error has occurred. Please retry or report in the Gemini API troubleshooting guide.",
        503: "The model is overloaded. Please try again later.",
        504: "The request timed out. Please try again.",
    }
    details = [] if retry_after_s is None else [_retry_info(retry_after_s)]
    return refusal(status, messages.get(status, f"status {status}, injected by the sandbox"), details)


def _retry_info(seconds: float) -> dict[str, Any]:
    delay = f"{seconds:.9f}".rstrip("0").rstrip(".")
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{delay}s"}


_HELP = {
    "@type": "type.googleapis.com/google.rpc.Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}
