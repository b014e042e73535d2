"""What the API says of itself: models, health."""

from api.openapi.shape import Shape, flag, listing, mapping, maybe, number, record, text, whole, word
from routing.breaker import BreakerState
from routing.provider_health import ProviderStatus

_PRICING = record(
    "USD per token, as text.",
    {"prompt": text(), "completion": text(), "input_cache_read": text()},
    optional=("input_cache_read",),
)

MODEL = Shape(
    "Model",
    record(
        "An alias, which lists its deployments, or a deployment, which has a price.",
        {
            "id": text(),
            "object": word(["model"]),
            "created": whole(),
            "owned_by": text("The provider; of an alias the router."),
            "context_length": maybe(whole("Tokens.")),
            "capabilities": listing(text()),
            "deployments": listing(text()),
            "pricing": maybe(_PRICING),
        },
        optional=("deployments", "pricing"),
    ),
)

MODELS = Shape("Models", record("What a key may use.", {"object": word(["list"]), "data": listing(MODEL)}))

LIVENESS = Shape("Liveness", record("The process answers.", {"status": word(["ok"])}))

HEALTH = Shape(
    "Health",
    record(
        "Whether jobs can be accepted.",
        {
            "status": word(["ok", "unavailable"]),
            "redis": word(["ok", "unavailable"]),
            "sandbox": flag("Whether answers are made up, as no provider has its key."),
            "providers": listing(text(), "Those that can be called."),
        },
    ),
)

PROVIDER_ROW = record(
    "A provider account, as its calls, checks and breakers say.",
    {
        "status": word(ProviderStatus),
        "uptime": maybe(number("0 to 1.")),
        "avg_latency": maybe(number("ms.")),
        "consecutive_failures": whole(),
        "last_check": maybe(number("Unix seconds.")),
        "error": maybe(text()),
    },
)
BREAKER_ROW = record(
    "The circuit breaker of a deployment or an account.",
    {
        "state": word(BreakerState),
        "failure_count": whole(),
        "next_attempt_time": maybe(number("When an open one lets probes through, Unix seconds.")),
    },
)

PROVIDERS_HEALTH = Shape(
    "ProvidersHealth",
    record(
        "How the providers stand.",
        {
            "providers": mapping("By their names.", PROVIDER_ROW),
            "circuit_breakers": mapping("By provider, or provider/model.", BREAKER_ROW),
        },
    ),
)
