"""Reads finished jobs out of the ledger as a trace. Changes nothing, and never keeps Redis busy for long."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import redis

from routing.asked import Asked
from routing.errors import ProviderError
from routing.job import AttemptStatus, JobStatus, ServiceTier, Usage
from routing.plan import Plan
from routing.trace import LONGEST_S, TracedAttempt, TracedJob
from routing.trace_fields import MOST
from workers.surfaces.registry import surface_of

# Keys looked at in one SCAN, and so records read in one round trip.
_STEP = 100
# `request` is not among them: what was asked never leaves the ledger. Of the answer only its usage is read.
_FIELDS = (
    "status", "created", "ended", "tenant", "priority", "model", "policy", "deadline", "plan", "attempts", "asked",
    "max_tries", "careless", "answer", "surface",
)  # fmt: skip
_ENDED = tuple(status.value for status in JobStatus if status not in (JobStatus.QUEUED, JobStatus.IN_PROGRESS))
_TIERS = {str(tier.priority): tier for tier in ServiceTier}
_LOST = AttemptStatus.LOST.value


@dataclass(frozen=True, slots=True)
class Selection:
    """Which finished jobs are wanted: of one tenant, accepted at or after `since` (Unix seconds), so many at most."""

    tenant: str | None = None
    since: float | None = None
    limit: int | None = None


def finished_jobs(
    client: "redis.Redis",
    prefix: str,
    wanted: Selection,
    providers: Collection[str],
    looked_at: Callable[[int], None] = lambda _: None,
) -> Iterator[TracedJob]:
    """The finished jobs that are wanted, each once, in no order; `prefix` is that of all keys.

    `providers` are the names in the configuration. `looked_at` is told how many records were read so far.
    Raises redis.RedisError where Redis is away. Jobs that end meanwhile may or may not be among them.
    """
    seen: set[bytes] = set()
    found, cursor = 0, 0
    while True:
        cursor, page = client.scan(cursor, match=f"{prefix}job:*", count=_STEP)
        # SCAN may name a key twice.
        keys = (key if isinstance(key, bytes) else key.encode() for key in page)
        fresh = [key for key in dict.fromkeys(keys) if key not in seen]
        seen.update(fresh)
        for key, record in zip(fresh, _records(client, fresh), strict=True):
            job_id = key.decode()[len(f"{prefix}job:") :]
            if not _is_wanted(record, wanted):
                continue
            yield _traced(job_id, record, providers)
            found += 1
            if found == wanted.limit:
                return
        looked_at(len(seen))
        if cursor == 0:
            return


def _records(client: "redis.Redis", keys: Sequence[bytes]) -> list[dict[str, bytes]]:
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, _FIELDS)
        replies = pipeline.execute()
    return [
        {field: value for field, value in zip(_FIELDS, reply, strict=True) if value is not None} for reply in replies
    ]


def _is_wanted(record: Mapping[str, bytes], wanted: Selection) -> bool:
    # A record that expired between the two reads is empty.
    if record.get("status", b"").decode() not in _ENDED:
        return False
    if wanted.tenant is not None and record["tenant"].decode() != wanted.tenant:
        return False
    return wanted.since is None or _seconds(record["created"]) >= wanted.since


def _seconds(milliseconds: bytes) -> float:
    return int(float(milliseconds)) / 1000


def _traced(job_id: str, record: Mapping[str, bytes], providers: Collection[str]) -> TracedJob:
    plan = Plan.from_wire(json.loads(record["plan"]))
    created_at = _seconds(record["created"])
    ids = {candidate.deployment.id.lower() for candidate in plan.candidates}
    ids.update(f"{left.provider}/{left.model}".lower() for left in plan.exclusions)
    asked = Asked.from_wire(json.loads(record["asked"])).knowing({*providers, *ids}) if "asked" in record else None
    return TracedJob(
        id=job_id,
        created_at=created_at,
        status=JobStatus(record["status"].decode()),
        tenant=record["tenant"].decode(),
        tier=_TIERS.get(record.get("priority", b"").decode(), ServiceTier.DEFAULT),
        model=record["model"].decode(),
        policy=record["policy"].decode(),
        deadline_s=round(min(max(_seconds(record["deadline"]) - created_at, 0.0), LONGEST_S), 3),
        candidates=plan.candidates,
        passed_over=tuple(left for left in plan.exclusions if left.could_serve),
        attempts=tuple(map(_attempt, json.loads(b"[" + record.get("attempts", b"") + b"]"))),
        asked=asked,
        usage=_usage(record),
        max_tries=int(record["max_tries"]) if "max_tries" in record else None,
        circuit_breaker="careless" not in record,
    )


def _attempt(shown: Mapping[str, Any]) -> TracedAttempt:
    status = AttemptStatus(shown["status"])
    # "code: message": the message may be a provider's, which may quote the prompt.
    code = str(shown.get("error", "")).partition(":")[0]
    return TracedAttempt(
        provider=shown["provider"],
        model=shown["model"],
        status=status,
        started_at=float(shown["started_at"]),
        duration_ms=float(shown["duration"]),
        error_code=(code if code in _CODES else "unknown") if status is AttemptStatus.FAILED else None,
        cost_microusd=None if shown.get("cost_microusd") is None else min(shown["cost_microusd"], MOST),
        hedge=shown.get("hedge", False),
    )


def _usage(record: Mapping[str, bytes]) -> Usage | None:
    """The usage in a job's answer, read as its surface tells it; None in an error."""
    answer = json.loads(record["answer"]) if "answer" in record else {}
    if not answer.get("usage"):
        return None
    told = surface_of(record.get("surface", b"").decode()).usage(answer)
    # What a provider claims is not always to be believed, and a trace is not refused for it.
    return Usage(*(min(tokens, MOST) for tokens in astuple(told)))


def _codes(error: type[ProviderError]) -> set[str]:
    own = {error.code} if error.code else set()
    return own.union(*map(_codes, error.__subclasses__()))


_CODES = _codes(ProviderError)
