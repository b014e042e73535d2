"""What the API says of limits and budgets."""

from api.openapi.shape import Shape, listing, number, record, text, whole, word

_LIMIT = record(
    "One limit. Budgets are told in USD.",
    {
        "object": word(["limit"]),
        "scope": word(["tenant", "key"]),
        "name": text("As in `quotas`: `rate_limit_per_minute`, `daily_usd`, ..."),
        "limit": number(),
        "used": number("With what is held for jobs under way."),
        "held": number("Of a budget: what is held for jobs under way, and comes back where it is not spent."),
        "remaining": number(),
        "reset_s": whole("Seconds until all of it is there again, if nothing more comes; 0: it is, or nobody knows."),
    },
)

LIMITS = Shape("Limits", record("How limits stand.", {"object": word(["list"]), "data": listing(_LIMIT)}))
