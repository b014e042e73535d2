"""GET /v1/console/overview, GET /admin/v1/overview: what the console's first view shows, in one answer."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app
from redis.exceptions import RedisError

from api import replies
from api.admin_key import require_admin
from api.context import services
from api.health import standings
from api.openapi.answers import found, refused
from api.openapi.console_shapes import OVERVIEW
from api.openapi.operation import Operation, documented
from api.principal import Principal, authenticate
from routing.errors import StoreUnavailable
from workers.metrics import history, metric
from workers.metrics.gauges import Sample, gauges
from workers.metrics.history import Minute
from workers.queues import BACKGROUND, provider_queue

blueprint = Blueprint("console_overview", __name__)
# For so long the gauges are given again: however many look, Redis is read no more often.
_FRESH_S = 1.0
_last: tuple[float, list[Sample]] = (-_FRESH_S, [])
_VIEWS = {
    "tenant": {
        "overview": "/v1/console/overview",
        "jobs": "/v1/jobs",
        "failed": "/v1/jobs",
        "batches": "/v1/batches",
        "webhooks": "/v1/webhooks/deliveries",
        "usage": "/v1/usage",
        "playground": "/v1/chat/completions",
    },
    "admin": {"overview": "/admin/v1/overview", "usage": "/admin/v1/usage", "keys": "/admin/v1/keys"},
}
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@blueprint.get("/v1/console/overview")
@documented(
    Operation(
        tag="Console",
        summary="See how everything stands",
        answers=(found(OVERVIEW, "Providers, queues and the last hour."), *refused(401, 503)),
    )
)
def overview() -> Response:
    """Providers with their breakers and limits, queues, and the last hour by the minute: the caller's own jobs.

    Where MODEL_ROUTER_METRICS_KEY closes `/metrics`, a tenant sees no queues and no limits: both are null.
    """
    principal = authenticate()
    return _shown(principal, principal.tenant_id, system=services().settings.metrics_key is None)


@blueprint.get("/admin/v1/overview")
@documented(
    Operation(
        tag="Administration",
        summary="See how everything stands, for everybody",
        admin=True,
        answers=(found(OVERVIEW, "Providers, queues and the last hour."), *refused(401, 403, 404, 503)),
    )
)
def everybodys() -> Response:
    """As `/v1/console/overview`, with the jobs of all tenants, and with totals."""
    require_admin()
    return _shown(None, history.EVERYBODY, system=True)


def _shown(principal: Principal | None, tenant: str, *, system: bool) -> Response:
    """The overview for a tenant, or for the admin; `system`: with queues and limits."""
    parts, now = services(), time.time()
    try:
        samples = _samples()
        past = history.read(parts.redis, parts.settings.key_prefix, tenant, now)
    except RedisError as error:
        raise StoreUnavailable("the job store is not available") from error
    shown = {
        "object": "console.overview",
        "now": now,
        "caller": _who(principal),
        "sandbox": parts.directory.current.configuration.sandbox,
        **standings(now),
        "queues": _queues(samples) if system else None,
        "limits": _limits(samples) if system else None,
        "totals": _totals(samples) if principal is None else None,
        "history": [_minute(minute) for minute in past],
    }
    return replies.as_json(shown)


def _who(principal: Principal | None) -> dict[str, Any]:
    """Whose key it is, and the console's views for it: those whose route is served here."""
    kind = "admin" if principal is None else "tenant"
    served = {rule.rule for rule in current_app.url_map.iter_rules()}
    return {
        "kind": kind,
        "tenant_id": None if principal is None else principal.tenant_id,
        "key_id": None if principal is None else principal.key.id,
        "views": [name for name, route in _VIEWS[kind].items() if route in served],
    }


def _samples() -> list[Sample]:
    global _last  # noqa: PLW0603 (one process, one answer)
    now = time.monotonic()
    if now - _last[0] >= _FRESH_S:
        parts = services()
        rows = parts.directory.current.configuration.providers.values()
        queues = [*(provider_queue(row.name) for row in rows if row.enabled), *BACKGROUND]
        _last = (now, list(gauges(parts.redis, parts.settings.key_prefix, queues)))
    return _last[1]


def _queues(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Each queue with what stands in it by tier, how long the first waits, what runs, and who serves it."""
    queues: dict[str, dict[str, Any]] = {}
    for sample in samples:
        if sample.metric not in (metric.DEPTH, metric.OLDEST, metric.WORKERS, metric.RUNNING):
            continue
        name = sample.labels[0]
        row = queues.setdefault(name, {"name": name, "depth": {}, "oldest_age_s": None, "running": 0, "workers": 0})
        if sample.metric is metric.DEPTH:
            row["depth"][sample.labels[1]] = int(sample.value)
        elif sample.metric is metric.OLDEST:
            row["oldest_age_s"] = round(max(row["oldest_age_s"] or 0.0, sample.value), 3)
        else:
            row["workers" if sample.metric is metric.WORKERS else "running"] = int(sample.value)
    return list(queues.values())


def _limits(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Providers' limits, as configured and learnt, with what is left of each."""
    left = {sample.labels: sample.value for sample in samples if sample.metric is metric.LEFT}
    return [
        {
            "provider": sample.labels[0],
            "model": sample.labels[1] or None,
            "limit": sample.labels[2],
            "size": sample.value,
            "left": round(left.get(sample.labels, 0.0), 1),
        }
        for sample in samples
        if sample.metric is metric.LIMIT
    ]


def _totals(samples: Iterable[Sample]) -> dict[str, Any]:
    values = {(sample.metric.name, sample.labels): sample.value for sample in samples}
    parked = sum(sample.value for sample in samples if sample.metric is metric.PARKED)
    memory = metric.MEMORY.name
    return {
        "jobs_unfinished": int(values.get((metric.UNFINISHED.name, ()), 0)),
        "jobs_parked": int(parked),
        "batches_unfinished": int(values.get((metric.BATCHES.name, ()), 0)),
        "webhooks_pending": int(values.get((metric.OUTBOX.name, ()), 0)),
        "redis_used_bytes": int(values.get((memory, ("used",)), 0)),
        "redis_bound_bytes": int(values.get((memory, ("bound",)), 0)),
    }


def _minute(minute: Minute) -> Mapping[str, Any]:
    latency = {name: minute.quantile(share) for name, share in _SHARES.items()}
    return {
        "at": minute.at_s,
        "jobs": minute.jobs,
        "providers": minute.providers,
        "latency_s": {name: None if value is None else round(value, 4) for name, value in latency.items()},
        "cost_usd": {name: round(value, 6) for name, value in minute.cost_usd.items()},
    }
