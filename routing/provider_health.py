"""How a provider account stands, from its calls, its checks and its circuit breakers; and when to check it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from routing.breaker import BreakerState
from routing.check import Check, CheckStatus
from routing.health import Health
from routing.snapshot import Snapshot

# Below this share of good calls, and from so many failures in a row on, it is not well.
_LEAST_UPTIME = 0.9
_FAILURES_DOWN = 3
# Calls that have faded to less than this say nothing any more.
_LEAST_EVIDENCE = 0.1


class ProviderStatus(StrEnum):
    """How it stands, in one word."""

    HEALTHY = "healthy"
    # It serves, but not always, or it is being tried again.
    DEGRADED = "degraded"
    DOWN = "down"
    # Its last check was refused for the key, the right or the bill: the operator's to mend.
    MISCONFIGURED = "misconfigured"
    # Nobody has called or checked it yet.
    UNKNOWN = "unknown"
    # Its row is disabled, or has no key.
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """What is known of an account, its deployments taken together; None where nothing is."""

    status: ProviderStatus
    # Good calls among all, 0..1, recent ones counting more.
    uptime: float | None = None
    # Of good calls.
    latency_ms: float | None = None
    # In a row, of the deployment that is best off; of checks, where the last one failed.
    consecutive_failures: int = 0
    # Unix seconds of the last call or check, whichever was later.
    last_check_s: float | None = None
    error: str | None = None


def provider_health(provider: str, snapshot: Snapshot, now: float) -> ProviderHealth:
    """How `provider`, which can be called, stands at `now` (Unix seconds)."""
    records = _records(provider, snapshot)
    check = snapshot.checks.get(provider)
    ails = provider in snapshot.ailing
    failures = min((record.consecutive_failures for record in records), default=0)
    uptime, latency_ms = _means(records, now)
    looked_at = [record.last_s for record in records] + ([check.at_s] if check is not None else [])
    return ProviderHealth(
        status=_status(provider, snapshot, check, records, uptime, failures),
        uptime=uptime,
        latency_ms=latency_ms,
        consecutive_failures=max(failures, check.failures) if check is not None and ails else failures,
        last_check_s=max(looked_at, default=None),
        error=(check.error or None) if check is not None and ails else None,
    )


def why_due(provider: str, snapshot: Snapshot, now: float, interval_s: float) -> str | None:
    """Why `provider` is to be checked; None while a call of its was good within `interval_s` and no breaker is open."""
    own = f"{provider}/"
    for name, breaker in snapshot.tripped.items():
        if (name == provider or name.startswith(own)) and breaker.state is BreakerState.OPEN:
            return "a circuit breaker is open"
    if any(
        record.consecutive_failures == 0 and record.last_s > now - interval_s for record in _records(provider, snapshot)
    ):
        return None
    return "no good call lately"


def _records(provider: str, snapshot: Snapshot) -> list[Health]:
    own = f"{provider}/"
    return [record for name, record in snapshot.health.items() if name.startswith(own)]


def _means(records: Sequence[Health], now: float) -> tuple[float | None, float | None]:
    """Uptime and latency, each deployment weighing as much as it was called."""
    weights = [record.evidence(now) for record in records]
    if sum(weights) < _LEAST_EVIDENCE:
        return None, None
    good = sum(
        weight * record.successes / record.calls for weight, record in zip(weights, records, strict=True) if weight
    )
    timed = [
        (weight, record.speed.y / record.speed.n)
        for weight, record in zip(weights, records, strict=True)
        if weight and record.speed.known
    ]
    latency_ms = sum(weight * ms for weight, ms in timed) / sum(weight for weight, _ in timed) if timed else None
    return good / sum(weights), latency_ms


def _status(
    provider: str,
    snapshot: Snapshot,
    check: Check | None,
    records: Sequence[Health],
    uptime: float | None,
    failures: int,
) -> ProviderStatus:
    if provider in snapshot.ailing:
        misconfigured = check is not None and check.status is CheckStatus.MISCONFIGURED
        return ProviderStatus.MISCONFIGURED if misconfigured else ProviderStatus.DOWN
    breaker = snapshot.tripped.get(provider)
    # A good check does not undo failed calls: it tells that the next ones may be good.
    reached_s = check.at_s if check is not None else 0.0
    if breaker is not None and breaker.state is BreakerState.FORCED_OPEN:
        return ProviderStatus.DOWN
    if breaker is not None and breaker.state is BreakerState.OPEN and reached_s <= breaker.changed_s:
        return ProviderStatus.DOWN
    if failures >= _FAILURES_DOWN and reached_s <= max(record.last_s for record in records):
        return ProviderStatus.DOWN
    if not records and check is None and breaker is None:
        return ProviderStatus.UNKNOWN
    shut = any(
        (name == provider or name.startswith(f"{provider}/")) and found.state is not BreakerState.FORCED_CLOSED
        for name, found in snapshot.tripped.items()
    )
    limping = shut or failures >= _FAILURES_DOWN or (uptime is not None and uptime < _LEAST_UPTIME)
    return ProviderStatus.DEGRADED if limping else ProviderStatus.HEALTHY
