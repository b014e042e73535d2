"""The headers the API reads and sends, each described once."""

from typing import Any

from api.openapi.operation import Parameter

_DURATION = "^([0-9]+h)?([0-9]+m)?[0-9]+(ms|s)$"


def _header(about: str, **schema: Any) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string", **schema}}


def _limit_headers() -> dict[str, dict[str, Any]]:
    """Those of the tenant's limits."""
    sent = {
        "X-RateLimit-Limit": _header("As `X-RateLimit-Limit-Requests`.", pattern="^[0-9]+$"),
        "X-RateLimit-Remaining": _header("As `X-RateLimit-Remaining-Requests`.", pattern="^[0-9]+$"),
        "X-RateLimit-Reset": _header("As `X-RateLimit-Reset-Requests`, in whole seconds.", pattern="^[0-9]+$"),
    }
    for what in ("Requests", "Tokens"):
        limit = f"The tenant's limit of {what.lower()} (a minute's, a day's or a month's) of which least is left."
        sent |= {
            f"X-RateLimit-Limit-{what}": _header(limit, pattern="^[0-9]+$"),
            f"X-RateLimit-Remaining-{what}": _header("What is left of it.", pattern="^[0-9]+$"),
            f"X-RateLimit-Reset-{what}": _header("When all of it is: in `12ms`, `59s`, `6m0s`.", pattern=_DURATION),
        }
    return sent


SENT: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header("The request's id: the caller's own, or one made up."),
    "X-Job-Id": _header("The job behind the answer."),
    "X-Provider": _header("Who answers."),
    "Location": _header("Where the job is."),
    "Retry-After": _header("Seconds after which to try again, at most 120.", pattern="^[0-9]+$"),
    "Retry-After-Ms": _header("The same in ms.", pattern="^[0-9]+$"),
    "OpenAI-Processing-Ms": _header("How long the request took until its answer began.", pattern="^[0-9]+$"),
    "Request-Id": _header("As `X-Request-Id`; Anthropic's clients look here."),
    "X-Should-Retry": _header("Where the same request again would do no good.", enum=["false"]),
    "Idempotent-Replayed": _header("Where the answer is that of an earlier request.", enum=["true"]),
    "Preference-Applied": _header("RFC 7240: what of `Prefer` was done.", enum=["respond-async"]),
    "Content-Disposition": _header("The file's name, RFC 6266."),
    "ETag": _header("The document's version."),
    **_limit_headers(),
}

# What answers to counted requests tell of the tenant's limits.
LIMITS = tuple(name for name in SENT if name.startswith("X-RateLimit-"))

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "The same key with the same body gets the running job's answer, or the stored one; 409 with another body.",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
)
PREFER = Parameter(
    "Prefer",
    "header",
    "RFC 7240: `respond-async` to be answered with the job at once, `wait=SECONDS` to wait no longer than that; others "
    "are ignored.",
    {"type": "string", "examples": ["respond-async", "wait=5"]},
)
REQUEST_ID = Parameter(
    "X-Request-Id",
    "header",
    "The request's id in logs and in the answer; one that is not 1 to 128 printable ASCII characters is replaced.",
    {"type": "string"},
)
LAST_SEEN = Parameter(
    "Last-Event-ID",
    "header",
    "With `stream` and an Idempotency-Key that is known: the number of the last event seen.",
    {"type": "string"},
)
LAST_EVENT_ID = Parameter(
    "Last-Event-ID",
    "header",
    "The number of the last event seen, as browsers send it.",
    {"type": "string", "pattern": "^[0-9]{0,9}$"},
)
IF_NONE_MATCH = Parameter("If-None-Match", "header", "The ETag that the caller has.", {"type": "string"})
