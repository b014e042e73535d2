"""How a request was or would be routed, and the form of every error."""

from api.openapi.shape import Shape, anything, flag, listing, mapping, maybe, number, record, text, whole, word
from routing.job import AttemptStatus

ERROR = Shape(
    "Error",
    record(
        "OpenAI's error; all four are always there.",
        {
            "message": text("What is wrong, and what to do."),
            "type": text(),
            "param": maybe(text("The request's field at fault.")),
            "code": maybe(text()),
        },
    ),
)

ATTEMPT = Shape(
    "Attempt",
    record(
        "One call to one provider.",
        {
            "provider": text(),
            "model": text("The provider's name for it."),
            "status": word(AttemptStatus),
            "started_at": number("Unix seconds."),
            "duration": number("ms."),
            "error": text(),
            "cost_microusd": whole("Millionths of a dollar."),
            "hedge": flag("Made beside the attempt before it, which took long."),
            "continued": whole("Characters of the answer that others had said before it."),
            "credential": word(["tenant"], "Made with the tenant's own key."),
        },
        optional=("error", "cost_microusd", "hedge", "continued", "credential"),
    ),
)

ROUTING_METADATA = Shape(
    "RoutingMetadata",
    record(
        "How the answer came. Times are ms.",
        {
            "job_id": text(),
            "tenant_id": text(),
            "primary_provider": text("The plan's first."),
            "policy_used": text(),
            "attempts": listing(ATTEMPT),
            "queue_time": number(),
            "total_processing_time": number("From acceptance to the answer."),
            "api_processing_time": number("Spent in calls to providers."),
            "timestamp": number("Unix seconds."),
            "retry_after": number("Of a failed job, where it is known: seconds after which to ask again."),
        },
        optional=("retry_after",),
    ),
)

ERROR_ANSWER = Shape(
    "ErrorAnswer",
    record(
        "What every refused or failed request is answered with.",
        {
            "error": ERROR,
            "routing_metadata": ROUTING_METADATA,
            "usage": mapping(
                "Of an answer that was not to be stored: what it used, in its provider's words.", anything()
            ),
        },
        optional=("routing_metadata", "usage"),
    ),
)

_PARTS = record("What the score is made of, each 0 to 1.", {"cost": number(), "latency": number(), "uptime": number()})
_EXCLUSION = record("Who was left out, and why.", {"provider": text(), "model": text(), "reason": text()})
_CANDIDATE = {
    "provider": text(),
    "model": text(),
    "score": number("0 to 1."),
    "parts": _PARTS,
    "tier": whole("A lower one is tried first."),
    "explored": flag("It goes first only to find out how it does."),
}
_HEDGE = number("ms after which a second call is made beside the first.")


def _plan(about: str, candidate: Shape) -> dict[str, object]:
    return record(
        about,
        {
            "policy": text(),
            "candidates": listing(candidate, "In the order in which they are tried."),
            "exclusions": listing(_EXCLUSION),
            "hedge_after_ms": _HEDGE,
        },
        optional=("hedge_after_ms",),
    )


PLAN = Shape(
    "Plan",
    _plan(
        "The route of a request.",
        Shape("Candidate", record("A deployment that may be called.", _CANDIDATE, optional=("explored",))),
    ),
)

_ESTIMATES = record(
    "For this request; null where nothing is known.",
    {
        "cost_microusd": maybe(number("Millionths of a dollar.")),
        "latency_ms": maybe(number("With the wait in the queue.")),
        "ttft_ms": maybe(number("To the first token.")),
        "tokens_per_s": maybe(number()),
        "spread_ms": maybe(number()),
        "queue_wait_ms": number(),
        "uptime": number("0 to 1."),
        "evidence": number("How many calls it rests on, older ones counting less."),
    },
)

DRY_RUN = Shape(
    "DryRun",
    _plan(
        "The route a request would take now.",
        Shape(
            "EstimatedCandidate",
            record(
                "A deployment that would be called.", {**_CANDIDATE, "estimates": _ESTIMATES}, optional=("explored",)
            ),
        ),
    ),
)
