"""What the console's first view shows."""

from api.openapi.service_shapes import BREAKER_ROW, PROVIDER_ROW
from api.openapi.shape import Shape, flag, listing, mapping, maybe, number, record, text, whole, word

_QUEUE = record(
    "A queue.",
    {
        "name": text(),
        "depth": mapping("Pointers by tier.", whole()),
        "oldest_age_s": maybe(number("How long the first waits; null where none does.")),
        "running": whole("Jobs that its workers run."),
        "workers": whole("Processes alive that serve it."),
    },
)
_LIMIT = record(
    "A provider's limit.",
    {
        "provider": text(),
        "model": maybe(text("Null: of the whole account.")),
        "limit": text("Such as `requests_per_minute`."),
        "size": number(),
        "left": number("What is left of it now."),
    },
)
_SECONDS = maybe(number("Null where no job ended."))
_MINUTE = record(
    "What workers ended in a minute.",
    {
        "at": whole("When it began, Unix seconds."),
        "jobs": mapping("By status.", whole()),
        "providers": mapping("By provider.", whole()),
        "latency_s": record("From acceptance to the end.", {"p50": _SECONDS, "p95": _SECONDS, "p99": _SECONDS}),
        "cost_usd": mapping("By provider.", number()),
    },
)
_TOTALS = record(
    "Everybody's.",
    {
        "jobs_unfinished": whole(),
        "jobs_parked": whole("Waiting for a provider's limit."),
        "batches_unfinished": whole(),
        "webhooks_pending": whole(),
        "redis_used_bytes": whole(),
        "redis_bound_bytes": whole("0: no bound."),
    },
)

OVERVIEW = Shape(
    "ConsoleOverview",
    record(
        "How everything stands.",
        {
            "object": word(["console.overview"]),
            "now": number("Unix seconds, by the server's clock."),
            "caller": record(
                "Whose key it is.",
                {
                    "kind": word(["tenant", "admin"]),
                    "tenant_id": maybe(text()),
                    "key_id": maybe(text()),
                    "views": listing(text(), "Of the console, those that there are for it."),
                },
            ),
            "sandbox": flag("Whether answers are made up, as no provider has its key."),
            "providers": mapping("By their names.", PROVIDER_ROW),
            "circuit_breakers": mapping("By provider, or provider/model.", BREAKER_ROW),
            "queues": maybe(listing(_QUEUE)),
            "limits": maybe(listing(_LIMIT)),
            "totals": maybe(_TOTALS),
            "history": listing(_MINUTE, "The last hour, the present minute last."),
        },
    ),
)
