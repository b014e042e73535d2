"""Whether this process, its Redis and the providers are well."""

import time
from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.principal import authenticate
from routing.breaker import Breaker
from routing.errors import StoreUnavailable
from routing.health import Health

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """The process answers."""
    return replies.as_json({"status": "ok"})


@blueprint.get("/health")
@blueprint.get("/readyz")
def health() -> Response:
    """The process can accept jobs: 503 while Redis is away."""
    configuration = services().directory.current.configuration
    try:
        services().ledger.ping()
        redis = "ok"
    except StoreUnavailable:
        redis = "unavailable"
    shown = {
        "status": "ok" if redis == "ok" else "unavailable",
        "redis": redis,
        "sandbox": configuration.sandbox,
        "providers": sorted(row.name for row in configuration.providers.values() if row.usable),
    }
    return replies.as_json(shown, 200 if redis == "ok" else 503)


@blueprint.get("/v1/health/providers")
def providers() -> Response:
    """What recorded attempts say of each provider, its deployments taken together, and the circuit breakers."""
    authenticate()
    edition = services().directory.current
    snapshot = services().snapshots.current
    shown = {}
    for row in edition.configuration.providers.values():
        if row.usable:
            records = [health for name, health in snapshot.health.items() if name.partition("/")[0] == row.name]
            shown[row.name] = _provider(records)
    known = shown.keys() | edition.catalogue.deployments.keys()
    window_s = edition.configuration.breaker.sliding_window_s
    now = time.time()
    # Only names of the configuration: what else callers asked for is nobody's business.
    breakers = {
        name: _breaker(found, now, window_s) for name, found in sorted(snapshot.breakers.items()) if name in known
    }
    return replies.as_json({"providers": shown, "circuit_breakers": breakers})


def _breaker(found: Breaker, now: float, window_s: float) -> dict[str, Any]:
    """One breaker's row; the time, in Unix seconds, is when an open one lets probes through."""
    return {
        "state": found.state.value,
        "failure_count": found.failure_count(now, window_s),
        "next_attempt_time": found.next_attempt_s,
    }


def _provider(records: list[Health]) -> dict[str, Any]:
    """One provider's row: uptime 0..1, latency in ms, times in Unix seconds; null where nothing was recorded."""
    if not records:
        return {
            "status": "unknown",
            "uptime": None,
            "avg_latency": None,
            "consecutive_failures": 0,
            "last_check": None,
        }
    calls = sum(record.calls for record in records)
    uptime = sum(record.successes for record in records) / calls if calls else None
    timed = sum(record.speed.n for record in records)
    failures = min(record.consecutive_failures for record in records)
    return {
        "status": _status(uptime, failures),
        "uptime": None if uptime is None else round(uptime, 4),
        "avg_latency": round(sum(record.speed.y for record in records) / timed, 1) if timed else None,
        "consecutive_failures": failures,
        "last_check": max(record.last_s for record in records),
    }


def _status(uptime: float | None, failures: int) -> str:
    if failures >= 3:
        return "unhealthy"
    return "healthy" if uptime is None or uptime >= 0.9 else "degraded"
