"""The metrics there are: name, meaning, labels. The one list, which docs and tests are held to.

Names are those of OpenTelemetry's GenAI conventions where they have one, in Prometheus's form.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric is to be read."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Durations are in seconds; `buckets` are a histogram's upper bounds, +Inf left out."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# Of our own work, and of what takes as long as a provider does.
_SWIFT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)
_MODEL = ("gen_ai_provider_name", "gen_ai_request_model")

HTTP_REQUESTS = Metric(
    "model_router_http_requests_total", Kind.COUNTER, "Requests answered.", ("route", "method", "status", "tenant")
)
HTTP_DURATION = Metric(
    "model_router_http_request_duration_seconds",
    Kind.HISTOGRAM,
    "From a request's arrival to its answer, of a stream to its first event.",
    ("route",),
    _SWIFT,
)
JOBS = Metric("model_router_jobs_total", Kind.COUNTER, "Jobs that have ended.", ("status", "tenant"))
JOB_DURATION = Metric(
    "model_router_job_duration_seconds",
    Kind.HISTOGRAM,
    "From a job's acceptance to its end by a worker.",
    ("provider", "status"),
    _SLOW,
)
QUEUE_DURATION = Metric(
    "model_router_job_queue_seconds",
    Kind.HISTOGRAM,
    "What a job has waited in queues until it was answered.",
    ("provider",),
    _SWIFT,
)
ATTEMPTS = Metric(
    "model_router_attempts_total",
    Kind.COUNTER,
    "Calls to providers that have ended: completed, cancelled, or the error's code.",
    ("provider", "model", "outcome"),
)
CALL_DURATION = Metric(
    "gen_ai_client_operation_duration_seconds",
    Kind.HISTOGRAM,
    "Calls to providers that were answered.",
    _MODEL,
    _SLOW,
)
FIRST_TOKEN = Metric(
    "gen_ai_server_time_to_first_token_seconds",
    Kind.HISTOGRAM,
    "From a streamed call's beginning to its first content.",
    _MODEL,
    _SLOW,
)
TOKENS = Metric(
    "model_router_tokens_total",
    Kind.COUNTER,
    "Tokens used: input, cached_input, output, reasoning.",
    ("direction", "provider", "model", "tenant"),
)
COST = Metric("model_router_cost_usd_total", Kind.COUNTER, "What calls cost.", ("provider", "model", "tenant"))
RESCUED = Metric(
    "model_router_rescued_total", Kind.COUNTER, "What the rescue found: lost and due work, by what it was.", ("what",)
)
WEBHOOKS = Metric(
    "model_router_webhook_attempts_total", Kind.COUNTER, "Attempts at webhooks, by how they ended.", ("outcome",)
)

UP = Metric("model_router_redis_up", Kind.GAUGE, "1 while Redis answers; without it this is all there is.")
MEMORY = Metric("model_router_redis_memory_bytes", Kind.GAUGE, "What Redis uses, and may use (0: no bound).", ("kind",))
UNFINISHED = Metric("model_router_jobs_unfinished", Kind.GAUGE, "Jobs accepted that have not ended.")
RUNNING = Metric("model_router_jobs_in_progress", Kind.GAUGE, "Jobs that workers run.", ("queue",))
PARKED = Metric("model_router_jobs_parked", Kind.GAUGE, "Jobs that wait for a provider's limit.", ("provider", "model"))
DEPTH = Metric("model_router_queue_depth", Kind.GAUGE, "Pointers in a queue.", ("queue", "tier"))
OLDEST = Metric(
    "model_router_queue_oldest_age_seconds", Kind.GAUGE, "How long the first of a queue waits.", ("queue", "tier")
)
WORKERS = Metric("model_router_workers", Kind.GAUGE, "Worker processes alive.", ("queue",))
BREAKER = Metric("model_router_breaker_open", Kind.GAUGE, "0 closed, 0.5 half open, 1 open.", ("provider", "model"))
LIMIT = Metric(
    "model_router_provider_limit", Kind.GAUGE, "A provider's limit, as it is known.", ("provider", "model", "limit")
)
LEFT = Metric("model_router_provider_limit_left", Kind.GAUGE, "What is left of it now.", ("provider", "model", "limit"))
BATCHES = Metric("model_router_batches_unfinished", Kind.GAUGE, "Batches that have not ended.")
LINES = Metric("model_router_batch_lines_in_flight", Kind.GAUGE, "Lines of batches in flight.", ("provider",))
OUTBOX = Metric("model_router_webhooks_pending", Kind.GAUGE, "Events and deliveries that are still to be made.")

# Added to as things happen, and read from Redis.
KEPT = (
    *(HTTP_REQUESTS, HTTP_DURATION, JOBS, JOB_DURATION, QUEUE_DURATION, ATTEMPTS, CALL_DURATION, FIRST_TOKEN, TOKENS),
    *(COST, RESCUED, WEBHOOKS),
)
# Looked up when somebody asks.
LOOKED_UP = (
    *(UP, MEMORY, UNFINISHED, RUNNING, PARKED, DEPTH, OLDEST, WORKERS, BREAKER, LIMIT, LEFT, BATCHES, LINES, OUTBOX),
)
METRICS = (*KEPT, *LOOKED_UP)
