"""The body a job ends with: OpenAI's form plus `routing_metadata`, as JSON. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from routing.errors import RouterError
from routing.job import Attempt, time_in_calls_ms
from workers.ledger.claimed import Claimed
from workers.providers.base import Completion
from workers.surfaces.base import Head
from workers.surfaces.registry import surface_of


@dataclass(frozen=True, slots=True)
class Timing:
    """When an answer is written: Unix seconds now, and ms since this run claimed the job."""

    now: float
    elapsed_ms: float


def completed(job: Claimed, completion: Completion, attempts: Sequence[Attempt], timing: Timing) -> str:
    """A provider's answer in the form it was asked in, with the story of how it came."""
    told = head(job, str(completion.body.get("model")))
    body = surface_of(job.surface).answer(completion.body, told)
    if job.streamed is not None and not job.surface:
        # As its chunks have them.
        body = {**body, "id": told.identifier("chatcmpl-"), "created": told.created}
    return json.dumps({**body, "routing_metadata": metadata(job, attempts, timing)})


def head(job: Claimed, model: str) -> Head:
    """What an answer of `model` says of its job."""
    return Head(job.id, model, job.created, echo=json.loads(job.echo) if job.echo else {})


def failed(job: Claimed, error: RouterError, attempts: Sequence[Attempt], timing: Timing) -> str:
    """An error in OpenAI's form with the same story, and in how many seconds to come again, where that is known."""
    story = metadata(job, attempts, timing)
    if error.retry_after_s is not None:
        story["retry_after"] = round(max(error.retry_after_s, 0.0), 3)
    return json.dumps({**error.body(), "routing_metadata": story})


def metadata(job: Claimed, attempts: Sequence[Attempt], timing: Timing) -> dict[str, Any]:
    """How the job was routed, times in ms. Attempts of earlier runs come first."""
    story: list[dict[str, Any]] = json.loads(f"[{job.attempts}]")
    story += [attempt.metadata() for attempt in attempts]
    return {
        "job_id": job.id,
        "tenant_id": job.tenant,
        "primary_provider": job.plan.candidates[0].deployment.provider,
        "policy_used": job.plan.policy,
        "attempts": story,
        "queue_time": job.queue_ms,
        "total_processing_time": round(job.age_ms + timing.elapsed_ms, 1),
        "api_processing_time": round(time_in_calls_ms(map(_span, story)), 1),
        "timestamp": round(timing.now, 3),
    }


def _span(attempt: dict[str, Any]) -> tuple[float, float, bool]:
    return attempt["started_at"], attempt["duration"], attempt.get("hedge", False)
