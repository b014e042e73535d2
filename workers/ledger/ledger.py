"""The durable record of jobs: each method is one atomic step in Redis and one (shared) round trip.

The invariant (docs/architecture.md): every job that is accepted and not finished stands in the schedule.
Every step may be repeated safely, which is what lets callers try again when a connection breaks.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from config.breaker import BreakerConfig
from config.settings import Settings
from routing.errors import CapacityExceeded, DeadlineExceeded, JobAbandoned, JobCancelled, RouterError
from routing.job import JobStatus, Usage
from routing.passage_errors import AnswerNotStored
from workers.access.store import AccessStore
from workers.ledger import breakers
from workers.ledger.batches import Batches
from workers.ledger.budgets import Budgets
from workers.ledger.claimed import Claimed
from workers.ledger.files import Files
from workers.ledger.headroom import Headroom, Refused
from workers.ledger.listing import Listing
from workers.ledger.provider_records import ProviderRecords
from workers.ledger.record import (
    Accepted,
    Conflict,
    Ended,
    Existing,
    JobRecord,
    Outcome,
    Room,
    Submission,
    Told,
    ended_of,
    seconds,
    used_words,
)
from workers.ledger.steps import Steps
from workers.ledger.streams import Streams
from workers.own_keys.store import OwnKeyStore
from workers.pipeline import MAX_BATCH, CommandPipeline
from workers.usage.log import UsageLog
from workers.usage.reconciliation import Reconciliation
from workers.webhooks.delivery_log import DeliveryLog
from workers.webhooks.endpoints import Endpoints

# A webhook whose delivery task does not report back within this is published again.
OUTBOX_LEASE_MS = 90_000
# A place in a plan: its first, and all others are open again.
AFRESH = -1


def _error_json(error: RouterError) -> str:
    return json.dumps(error.body()["error"])


_EXPIRED = _error_json(DeadlineExceeded("the job's deadline came before an answer did"))
_FULL = _error_json(CapacityExceeded("no provider had room for the job before its deadline"))
_ABANDONED = _error_json(JobAbandoned("every worker that ran this job was lost; it is not run again"))
_UNSTORED = _error_json(
    AnswerNotStored("the request said `store: false`, and its answer was delivered: it is not kept")
)
_CANCELLED = _error_json(JobCancelled("the job was cancelled"))


class Ledger:
    """The one writer of job records."""

    def __init__(
        self,
        pipeline: CommandPipeline,
        settings: Settings,
        breaker: Callable[[], BreakerConfig] = BreakerConfig,
        limits: Callable[[], str] = str,
    ) -> None:
        """`breaker` gives the breakers' settings as they are now, `limits` the words of the configured limits."""
        self._breaker = breaker
        self._limits = limits
        self._sightings = breakers.Sightings()
        self._steps = Steps(pipeline, settings)
        self._retention_s = settings.retention_s
        self.provider_records = ProviderRecords(self._steps, breaker)
        self.streams = Streams(self._steps)
        self.batches = Batches(self._steps, settings)
        self.budgets = Budgets(self._steps)
        self.files = Files(self._steps)
        self.listing = Listing(self._steps)
        self.endpoints = Endpoints(self._steps)
        self.own_keys = OwnKeyStore(self._steps)
        self.deliveries = DeliveryLog(self._steps, settings)
        self.access = AccessStore(self._steps)
        self.usage = UsageLog(self._steps)

    def submit(self, job: Submission) -> Accepted | Existing | Conflict | Refused:
        """Accept a job; only after this returns may anything be promised to the caller.

        The tenant's and the key's limits and budgets are checked and reserved in the same step. Without Redis they are
        not known, and nothing is accepted: StoreUnavailable, never a job that nobody counted, nor money that nobody may
        spend.
        """
        reply = self._steps.run(
            "submit",
            job.id,
            job.idempotency,
            job.fingerprint,
            job.queue,
            job.priority,
            job.deadline_ms,
            job.tenant,
            job.limits,
            job.prompt_tokens + job.completion_tokens,
            job.expected_microusd,
            *job.fields(),
        )
        verdict, job_id = reply[0], reply[1].decode()
        if verdict == b"accepted":
            return Accepted(job_id, seconds(reply[2]), Headroom.parse(*reply[3:5]))
        if verdict == b"refused":
            return Refused.parse(*reply[2:10])
        if verdict == b"conflict":
            return Conflict(job_id)
        return Existing(job_id, JobStatus(reply[2].decode()), ended_of(job_id, *reply[2:5]))

    def claim(self, job_id: str, epoch: int, *, crowded: bool = False) -> Claimed | None:
        """Take the job for one run.

        None when the pointer is a stale duplicate, when the job now waits for a permit, or when this worker is
        `crowded` and another candidate got it instead.
        """
        crowd = "1" if crowded else ""
        reply = self._steps.run("claim", job_id, epoch, crowd, breakers.words(self._breaker()), self._limits())
        if not reply:
            return None
        self._sightings.report(reply[-1])
        claimed = Claimed.parse(job_id, epoch, reply)
        if claimed.detour is not None and claimed.candidate not in claimed.limited:
            self._sightings.note(claimed.plan.candidates[claimed.candidate].deployment.id)
        return claimed

    def saw_shut(self, deployment: str, since: float) -> bool:
        """Whether this process saw a breaker of the deployment shut after `since` (monotonic s). No round trip."""
        return self._sightings.saw_shut(deployment, since)

    def heartbeat(self, running: Sequence[tuple[str, int]]) -> list[str]:
        """Extend the leases of `running`; returns the ids that are no longer this process's."""
        flat = [word for pair in running for word in pair]
        return [job_id.decode() for job_id in self._steps.run("heartbeat", *flat)]

    def finish(self, job_id: str, epoch: int, outcome: Outcome) -> bool:
        """End the job; False when this run no longer holds it and nothing was changed."""
        changes = self._steps.run(
            "finish",
            job_id,
            epoch,
            outcome.status.value,
            outcome.http_status,
            outcome.answer,
            outcome.told.attempts,
            outcome.told.evidence,
            "" if outcome.second is None else outcome.second.words(),
            *used_words(outcome.usage, outcome.cost_microusd),
            outcome.told.limits,
            breakers.words(self._breaker()),
            "" if outcome.counted_microusd is None else outcome.counted_microusd,
            *((outcome.frames.start, *outcome.frames.lines) if outcome.frames.lines else ()),
        )
        return self._reported(changes)

    def settle(self, job_id: str, epoch: int, told: Told, usage: Usage, cost_microusd: int) -> bool:
        """Add what a run has used whose job was cancelled meanwhile; False when it is not this run's to tell."""
        words = (told.attempts, told.evidence, told.limits, *used_words(usage, cost_microusd))
        ways = (breakers.words(self._breaker()), told.counted_microusd)
        return self._reported(self._steps.run("settle", job_id, epoch, *words, *ways))

    def hand_over(self, job_id: str, epoch: int, place: int, told: Told) -> bool:
        """Give the job to the next candidate's queue at once; False when this run no longer holds it."""
        return self._reported(self._give_back("requeue", job_id, epoch, (place, 0), told))

    def defer(self, job_id: str, epoch: int, place: int, delay_ms: int, told: Told) -> bool:
        """Give the job back until `delay_ms` from now; False when this run no longer holds it.

        At place AFRESH it begins again with its first candidate.
        """
        return self._reported(self._give_back("requeue", job_id, epoch, (place, max(delay_ms, 1)), told))

    def find_room(self, job_id: str, epoch: int, own_wait_ms: int, told: Told) -> tuple[Room, float] | None:
        """Give a job that met a rate limit to whoever has room, or have it wait for who has it soonest.

        `own_wait_ms`: the same candidate may not be called for it before. Returns what became of it, and the wait in
        seconds; None when this run no longer holds it.
        """
        reply = self._give_back("room", job_id, epoch, (own_wait_ms,), told)
        if reply is None:
            return None
        self._sightings.report(reply[2])
        return Room(reply[0].decode()), reply[1] / 1000

    def hedge(self, job_id: str, epoch: int, places: Sequence[int]) -> int | None:
        """The first of `places` that may be called beside the run's own candidate, its permit taken.

        None where there is none, and when the run no longer holds the job.
        """
        words = (" ".join(map(str, places)), breakers.words(self._breaker()), self._limits())
        place: int | None = self._steps.run("hedge", job_id, epoch, *words)
        return None if place is None or place < 0 else place

    def release(self, limit: int = 100) -> tuple[int, float | None]:
        """Let parked jobs through for which there are permits now.

        Returns how many, and the seconds until there may be more (0: at once; None: nobody is parked).
        """
        released, wait_ms = self._steps.run("release", limit, self._limits())
        return released, None if wait_ms < 0 else wait_ms / 1000

    def cancel(self, job_id: str, tenant: str) -> tuple[JobStatus, bool] | None:
        """Cancel the job: (its status now, whether this call ended it); None when the tenant has no such job."""
        reply = self._steps.run("cancel", job_id, tenant, _CANCELLED)
        return (JobStatus(reply[0].decode()), bool(reply[1])) if reply else None

    def forget(self, job_id: str, tenant: str) -> bool | None:
        """Drop all that is kept of a job that has ended; False: it has not. None: the tenant has no such job."""
        forgotten: int | None = self._steps.run("forget", job_id, tenant)
        return None if forgotten is None else bool(forgotten)

    def attach(self, job_id: str, tenant: str, address: str) -> tuple[JobStatus, Ended | None] | None:
        """Have `address` told when the job ends; its end at once if it has. None: the tenant has no such job."""
        reply = self._steps.run("attach", job_id, tenant, address)
        if not reply:
            return None
        return JobStatus(reply[0].decode()), ended_of(job_id, *reply)

    def read(self, job_id: str, tenant: str | None = None) -> JobRecord | None:
        """The job's record; None when there is no such job, or `tenant` is given and it is not that tenant's."""
        stored = self._steps.hash(f"job:{job_id}")
        if not stored or (tenant is not None and stored[b"tenant"].decode() != tenant):
            return None
        return JobRecord.parse(job_id, stored)

    def ended(self, job_ids: Sequence[str]) -> list[Ended]:
        """Those of `job_ids` that have ended, MAX_BATCH of them a round trip."""
        ends = []
        for start in range(0, len(job_ids), MAX_BATCH):
            ids = job_ids[start : start + MAX_BATCH]
            flat = self._steps.run("ended", *ids)
            for job_id, status, http_status, answer in zip(ids, flat[::3], flat[1::3], flat[2::3], strict=True):
                end = ended_of(job_id, status, http_status, answer)
                if end is not None:
                    ends.append(end)
        return ends

    def rescue(self, limit: int = 100) -> list[tuple[str, str]]:
        """Look at what is due; returns what was done to which job."""
        errors = (_EXPIRED, _FULL, _ABANDONED)
        flat = [word.decode() for word in self._steps.run("rescue", limit, *errors, OUTBOX_LEASE_MS, _UNSTORED)]
        return list(zip(flat[::2], flat[1::2], strict=True))

    def reconciliation(self, looked_at: Callable[[int], None] = lambda _: None) -> Reconciliation:
        """A comparison of what was counted as used with the records; `looked_at` is told how many were read."""
        return Reconciliation(self._steps, self._retention_s, looked_at)

    def ping(self) -> None:
        """Raise StoreUnavailable unless Redis answers."""
        self._steps.command("PING")

    def _give_back(self, name: str, job_id: str, epoch: int, how: Sequence[int], told: Told) -> Any:
        words = (
            told.attempts,
            told.evidence,
            told.limits,
            breakers.words(self._breaker()),
            self._limits(),
            told.second,
            *((*used_words(told.spent, told.spent_microusd), told.counted_microusd) if told.spent != Usage() else ()),
        )
        return self._steps.run(name, job_id, epoch, *how, *words)

    def _reported(self, changes: list[bytes] | None) -> bool:
        """Whether the step was taken; notes the breakers it changed."""
        if changes is None:
            return False
        self._sightings.report(changes)
        return True
