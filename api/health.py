"""Whether this process, its Redis and the providers are well."""

import time
from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, documented
from api.openapi.service_shapes import HEALTH, LIVENESS, PROVIDERS_HEALTH
from api.principal import authenticate
from config.provider import ProviderConfig
from routing.breaker import Breaker
from routing.errors import StoreUnavailable
from routing.provider_health import ProviderHealth, ProviderStatus, provider_health
from routing.snapshot import Snapshot

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@documented(
    Operation(
        tag="Health",
        summary="Ask whether the process answers",
        answers=(found(LIVENESS, "It does."),),
        key=False,
    )
)
def livez() -> Response:
    """The process answers."""
    return replies.as_json({"status": "ok"})


@blueprint.get("/health")
@blueprint.get("/readyz")
@documented(
    Operation(
        tag="Health",
        summary="Ask whether jobs can be accepted",
        answers=(found(HEALTH, "They can."), found(HEALTH, "They cannot: Redis is away.", 503)),
        key=False,
    )
)
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
@documented(
    Operation(
        tag="Health",
        summary="See how the providers stand",
        answers=(found(PROVIDERS_HEALTH, "Every provider, and every breaker."), *refused(401)),
    )
)
def providers() -> Response:
    """How each provider stands by its calls, checks and breakers, and the circuit breakers themselves."""
    authenticate()
    return replies.as_json(standings(time.time()))


def standings(now: float) -> dict[str, Any]:
    """Every provider, and every breaker of those that the configuration names; `now` in Unix seconds."""
    edition = services().directory.current
    snapshot = services().snapshots.current
    rows = edition.configuration.providers
    shown = {name: _provider(_standing(row, snapshot, now)) for name, row in rows.items()}
    known = shown.keys() | edition.catalogue.deployments.keys()
    window_s = edition.configuration.breaker.sliding_window_s
    # Only names of the configuration: what else callers asked for is nobody's business.
    breakers = {
        name: _breaker(found, now, window_s) for name, found in sorted(snapshot.breakers.items()) if name in known
    }
    return {"providers": shown, "circuit_breakers": breakers}


def _breaker(found: Breaker, now: float, window_s: float) -> dict[str, Any]:
    """One breaker's row; the time, in Unix seconds, is when an open one lets probes through."""
    return {
        "state": found.state.value,
        "failure_count": found.failure_count(now, window_s),
        "next_attempt_time": found.next_attempt_s,
    }


def _standing(row: ProviderConfig, snapshot: Snapshot, now: float) -> ProviderHealth:
    if not row.usable:
        return ProviderHealth(ProviderStatus.DISABLED, error=row.unusable_reason)
    return provider_health(row.name, snapshot, now)


def _provider(found: ProviderHealth) -> dict[str, Any]:
    """One provider's row: uptime 0..1, latency in ms, time in Unix seconds; null where nothing is known."""
    return {
        "status": found.status.value,
        "uptime": None if found.uptime is None else round(found.uptime, 4),
        "avg_latency": None if found.latency_ms is None else round(found.latency_ms, 1),
        "consecutive_failures": found.consecutive_failures,
        "last_check": found.last_check_s,
        "error": found.error,
    }
