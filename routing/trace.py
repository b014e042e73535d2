"""One finished job as a line of a trace: how it was asked, planned and attempted, and no word of the texts. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from config.provider import Price, PriceTier
from routing.asked import Asked
from routing.catalogue import Deployment, Exclusion
from routing.job import AttemptStatus, JobStatus, ServiceTier, Usage
from routing.plan import Candidate
from routing.prices import price_from_wire
from routing.trace_fields import TraceError, amount, count, name, objects, one_of

VERSION = 1
# No deadline is taken for longer than 30 days.
LONGEST_S = 30 * 86_400.0
# The year 5138, and a thousand dollars a token.
_LAST, _DEAREST = 1e11, 10**9
_ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class TracedAttempt:
    """One call to one provider. `started_at` is Unix seconds; `error_code` is None where it completed."""

    provider: str
    model: str
    status: AttemptStatus
    started_at: float
    duration_ms: float
    error_code: str | None = None
    cost_microusd: int | None = None
    # It was made beside the attempt before it.
    hedge: bool = False

    @property
    def deployment_id(self) -> str:
        """Which deployment was called."""
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class TracedJob:
    """A job that has ended. Times are Unix seconds; what was not recorded is None."""

    id: str
    created_at: float
    status: JobStatus
    tenant: str
    tier: ServiceTier
    model: str
    policy: str
    deadline_s: float
    candidates: tuple[Candidate, ...]
    # Those its plan left out although they could have served it.
    passed_over: tuple[Exclusion, ...] = ()
    attempts: tuple[TracedAttempt, ...] = ()
    asked: Asked | None = None
    usage: Usage | None = None
    max_tries: int | None = None
    # Whether circuit breakers held it back.
    circuit_breaker: bool = True

    @property
    def is_replayed(self) -> bool:
        """Whether a replay runs it: one that its caller cancelled says nothing of a policy."""
        return self.status is not JobStatus.CANCELLED

    def to_line(self) -> str:
        """The job as one line of JSON, without its newline. docs/routing.md tells the form."""
        wire: dict[str, Any] = {
            "v": VERSION,
            "id": self.id,
            "created_at": self.created_at,
            "status": self.status.value,
            "tenant": self.tenant,
            "service_tier": self.tier.value,
            "model": self.model,
            "policy": self.policy,
            "deadline_s": self.deadline_s,
            "candidates": [_candidate_to_wire(candidate) for candidate in self.candidates],
            "passed_over": [
                {"provider": left.provider, "model": left.model, "reason": left.reason} for left in self.passed_over
            ],
            "attempts": [_attempt_to_wire(attempt) for attempt in self.attempts],
            "circuit_breaker": self.circuit_breaker,
        }
        if self.asked is not None:
            wire["asked"] = self.asked.to_wire()
        if self.usage is not None:
            wire["usage"] = {field: getattr(self.usage, field) for field in Usage.__dataclass_fields__}
        if self.max_tries is not None:
            wire["max_tries"] = self.max_tries
        return json.dumps(wire, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: bytes) -> "TracedJob":
        """The inverse of `to_line`; TraceError says what is wrong, and names the field."""
        try:
            wire = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise TraceError(f"expected JSON: {error}") from None
        if not isinstance(wire, dict):
            raise TraceError("expected a JSON object")
        if (version := wire.get("v")) != VERSION:
            raise TraceError(f"v: this is version {json.dumps(version)[:40]}, and only version {VERSION} can be read")
        return _job(wire)


def _job(wire: Mapping[str, Any]) -> TracedJob:
    asked, usage = wire.get("asked"), wire.get("usage")
    circuit_breaker = wire.get("circuit_breaker", True)
    if not isinstance(circuit_breaker, bool):
        raise TraceError("circuit_breaker: expected true or false")
    candidates = tuple(_candidate(row) for row in objects(wire, "candidates"))
    if not candidates:
        raise TraceError("candidates: expected at least one")
    return TracedJob(
        id=name(wire, "id"),
        created_at=amount(wire, "created_at", _LAST),
        status=one_of(wire, "status", _ENDED),
        tenant=name(wire, "tenant"),
        tier=one_of(wire, "service_tier", tuple(ServiceTier)),
        model=name(wire, "model"),
        policy=name(wire, "policy"),
        deadline_s=amount(wire, "deadline_s", LONGEST_S),
        candidates=candidates,
        passed_over=tuple(
            Exclusion(name(row, "provider"), name(row, "model"), name(row, "reason"))
            for row in objects(wire, "passed_over", optional=True)
        ),
        attempts=tuple(_attempt(row) for row in objects(wire, "attempts")),
        asked=None if asked is None else _asked(asked),
        usage=None if usage is None else _usage(usage),
        max_tries=None if wire.get("max_tries") is None else max(count(wire, "max_tries"), 1),
        circuit_breaker=circuit_breaker,
    )


def _attempt_to_wire(attempt: TracedAttempt) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "provider": attempt.provider,
        "model": attempt.model,
        "status": attempt.status.value,
        "started_at": attempt.started_at,
        "duration_ms": attempt.duration_ms,
    }
    if attempt.error_code is not None:
        wire["error_code"] = attempt.error_code
    if attempt.cost_microusd is not None:
        wire["cost_microusd"] = attempt.cost_microusd
    if attempt.hedge:
        wire["hedge"] = True
    return wire


def _attempt(wire: Mapping[str, Any]) -> TracedAttempt:
    status = one_of(wire, "status", tuple(AttemptStatus))
    return TracedAttempt(
        provider=name(wire, "provider"),
        model=name(wire, "model"),
        status=status,
        started_at=amount(wire, "started_at", _LAST),
        duration_ms=amount(wire, "duration_ms"),
        error_code=name(wire, "error_code") if status is AttemptStatus.FAILED else None,
        cost_microusd=None if wire.get("cost_microusd") is None else count(wire, "cost_microusd"),
        hedge=_hedge(wire),
    )


def _hedge(wire: Mapping[str, Any]) -> bool:
    hedge = wire.get("hedge", False)
    if not isinstance(hedge, bool):
        raise TraceError("hedge: expected true or false")
    return hedge


def _candidate_to_wire(candidate: Candidate) -> dict[str, Any]:
    deployment = candidate.deployment
    return {
        "provider": deployment.provider,
        "model": deployment.model,
        "score": float(candidate.score),
        "tier": candidate.tier,
        "context_length": deployment.context_length,
        "price": deployment.price_wire,
    }


def _candidate(wire: Mapping[str, Any]) -> Candidate:
    context_length = None if wire.get("context_length") is None else count(wire, "context_length")
    deployment = _deployment(name(wire, "provider"), name(wire, "model"), context_length, json.dumps(wire.get("price")))
    return Candidate(deployment, amount(wire, "score"), tier=count(wire, "tier"))


# A trace names the same few deployments in every line.
@lru_cache(maxsize=4096)
def _deployment(provider: str, model: str, context_length: int | None, price: str) -> Deployment:
    try:
        read = price_from_wire(json.loads(price))
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        raise TraceError("price: expected [input, output, cached input, source, tiers]") from None
    rates: tuple[Price | PriceTier, ...] = () if read is None else (read, *read.tiers)
    amounts = [rate for row in rates for rate in (row.input, row.output, row.cached_input) if rate is not None]
    if not all(isinstance(rate, Decimal) and rate.is_finite() and 0 <= rate <= _DEAREST for rate in amounts):
        raise TraceError(f"price: expected amounts from 0 to {_DEAREST}")
    return Deployment(provider, model, read, context_length)


def _asked(wire: Any) -> Asked:
    if not isinstance(wire, Mapping):
        raise TraceError("asked: expected an object")
    try:
        return Asked.from_wire(wire)
    except ValueError as error:
        raise TraceError(str(error)) from None


def _usage(wire: Any) -> Usage:
    if not isinstance(wire, Mapping):
        raise TraceError("usage: expected an object")
    return Usage(**{field: count(wire, field) for field in Usage.__dataclass_fields__})


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def measured_tokens(job: TracedJob) -> int | None:
    """The tokens by which its answer's duration is told: the answer's, or the input's where it is vectors."""
    if job.usage is None:
        return None
    embeds = job.asked is not None and job.asked.embeds
    return job.usage.prompt_tokens if embeds else job.usage.completion_tokens


def answered_by(attempts: Sequence[TracedAttempt]) -> TracedAttempt | None:
    """The attempt that answered; None where none did."""
    return next((attempt for attempt in reversed(attempts) if attempt.status is AttemptStatus.COMPLETED), None)
