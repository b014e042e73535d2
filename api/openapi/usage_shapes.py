"""What the API says of usage."""

from api.openapi.shape import Shape, listing, maybe, number, record, text, whole, word
from workers.usage.table import DIMENSIONS

_FIGURES = {
    "requests": whole("Jobs that were answered."),
    "failed_requests": whole("Jobs that failed or expired."),
    "cancelled_requests": whole("Jobs that were cancelled."),
    "prompt_tokens": whole("Calls in vain included, as far as anybody knows what they used."),
    "completion_tokens": whole(),
    "cached_tokens": whole("Of the prompt tokens, those read from a provider's cache."),
    "reasoning_tokens": whole("Of the completion tokens, those of thoughts."),
    "cost_microusd": whole("Millionths of a dollar."),
    "cost_usd": number("The same in dollars."),
}
_NAMES = {
    "day": text("YYYY-MM-DD, in UTC."),
    "tenant": text(),
    "model": maybe(text("As the provider calls it; `*` for all beyond a thousand a day.")),
    "provider": maybe(text()),
    "key": maybe(text("The key's id.")),
}

USAGE = Shape(
    "UsageReport",
    record(
        "What was used on some days.",
        {
            "object": word(["usage"]),
            "start": text("The first day."),
            "end": text("The last day."),
            "group_by": listing(word(DIMENSIONS)),
            "data": listing(record("A sum, with the names it stands for.", {**_NAMES, **_FIGURES}, optional=_NAMES)),
            "totals": record("The sum of all rows.", _FIGURES),
        },
    ),
)
