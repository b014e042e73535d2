"""The one table from a provider's HTTP status and structured code to a ProviderError. Prose is never read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routing.errors import (
    ContextLengthExceeded,
    KeyRefused,
    MalformedAnswer,
    ProviderError,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimeout,
)
from workers.providers.base import Account, Reply
from workers.providers.retry_after import retry_after_s

# A structured code says more than its status.
CODES: Mapping[tuple[int, str], type[ProviderError]] = {
    (400, "context_length_exceeded"): ContextLengthExceeded,
    # Google answers a bad key, a blocked region and an unpaid project with 400.
    (400, "API_KEY_INVALID"): KeyRefused,
    (400, "FAILED_PRECONDITION"): KeyRefused,
    (400, "invalid_api_key"): KeyRefused,
    (400, "model_not_found"): ProviderMisconfigured,
    # Groq: the model was switched off; its terms were not accepted.
    (400, "model_decommissioned"): ProviderMisconfigured,
    (400, "model_terms_required"): ProviderMisconfigured,
    # Groq: the model, not the caller, wrote broken JSON or a broken tool call.
    (400, "json_validate_failed"): MalformedAnswer,
    (400, "tool_use_failed"): MalformedAnswer,
    (400, "overloaded_error"): ProviderFailed,
    (400, "rate_limit_error"): ProviderRateLimited,
    (400, "authentication_error"): KeyRefused,
    (400, "permission_error"): KeyRefused,
    (400, "not_found_error"): ProviderMisconfigured,
    (400, "billing_error"): KeyRefused,
    (400, "request_too_large"): ContextLengthExceeded,
    # No money left: waiting does not help.
    (429, "insufficient_quota"): KeyRefused,
    (429, "billing_error"): KeyRefused,
}

STATUSES: Mapping[int, type[ProviderError]] = {
    401: KeyRefused,
    402: KeyRefused,
    403: KeyRefused,
    404: ProviderMisconfigured,
    405: ProviderMisconfigured,
    407: ProviderMisconfigured,
    408: ProviderTimeout,
    409: ProviderFailed,
    410: ProviderMisconfigured,
    # Too large for this provider, or for this account's tokens per minute (Groq): another may take it.
    413: ContextLengthExceeded,
    421: ProviderMisconfigured,
    424: ProviderFailed,
    425: ProviderFailed,
    429: ProviderRateLimited,
    # Groq: no capacity for a flex request.
    498: ProviderRateLimited,
    # Groq and proxies: the call was cancelled before its answer.
    499: ProviderFailed,
}

# The status that a code means where an error comes within a 200, in a body or a stream, and tells none.
CODE_STATUSES: Mapping[str, int] = {
    # Anthropic's (platform.claude.com, Errors); several are OpenAI's types, too.
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    # OpenAI's and Groq's codes.
    "context_length_exceeded": 400,
    "json_validate_failed": 400,
    "tool_use_failed": 400,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "service_unavailable_error": 503,
    # Of OpenAI's responses (its client's ResponseError): what was asked is at fault.
    "invalid_prompt": 400,
    "data_residency_mismatch": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_base64_image": 400,
    "invalid_image_url": 400,
    "invalid_image_mode": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "image_parse_error": 400,
    "image_content_policy_violation": 400,
    "image_file_too_large": 400,
    "image_file_not_found": 400,
    "unsupported_image_media_type": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
}
_UNKNOWN_STATUS = 502


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error answer says, as its dialect reads it. `codes` are structured, the most telling first."""

    message: str = ""
    codes: tuple[str, ...] = ()
    param: str | None = None
    # The body's own hint in seconds; a header of the answer goes before it.
    retry_after_s: float | None = None


def error_class(status: int, codes: tuple[str, ...] = ()) -> type[ProviderError]:
    """The error that `status` and `codes` stand for; `status` is any HTTP status that is not 2xx."""
    for code in codes:
        if (status, code) in CODES:
            return CODES[status, code]
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return ProviderFailed
    # A redirect of a POST is an endpoint to be mended; 1xx is no answer at all.
    return ProviderRefused if status >= 400 else ProviderMisconfigured


def status_within(error: Mapping[str, Any], codes: tuple[str, ...]) -> int:
    """The status an error object of a 200 stands for: its own, else that of the first known of `codes`, else 502."""
    for name in ("code", "status", "status_code"):
        told = error.get(name)
        # LiteLLM writes its status as text.
        status = int(told) if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) == 3 else told
        if isinstance(status, int) and 400 <= status <= 599:
            return status
    return next((CODE_STATUSES[code] for code in codes if code in CODE_STATUSES), _UNKNOWN_STATUS)


def provider_error(account: Account, reply: Reply, failure: Failure, status: int | None = None) -> ProviderError:
    """The error of an answer. `status` stands in where the vendor wrote it into a 200's body.

    A refusal of the request carries the provider's own words, as the caller will read them; any other error
    says first who answered what. The account's key is blotted out should a vendor repeat it.
    """
    status = reply.status if status is None else status
    kind = error_class(status, failure.codes)
    words = failure.message
    if account.api_key:
        words = words.replace(account.api_key, "[key]")
    if not issubclass(kind, ProviderRefused) or not words:
        code = f" ({failure.codes[0]})" if failure.codes else ""
        words = f"{account.name} answered {status}{code}" + (f": {words}" if words else "")
    wait_s = retry_after_s(reply.headers)
    return kind(
        words,
        upstream_status=status,
        param=failure.param,
        retry_after_s=failure.retry_after_s if wait_s is None else wait_s,
    )
