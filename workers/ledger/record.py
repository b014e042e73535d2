"""The values that go into the ledger and come out of it. Times are ms where Redis counts them, else as named."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.check import CheckStatus
from routing.job import AttemptStatus, JobStatus, Usage
from routing.plan import Plan
from workers.ledger.headroom import Headroom

# Of tokens or micro-dollars, for one job: thousands of such still add up to what Redis's scripts count exactly.
MOST_USED = 10**11


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as it is accepted."""

    id: str
    tenant: str
    queue: str
    priority: int
    deadline_ms: int
    # The request's body and the plan's wire form, as JSON.
    request: str
    plan: str
    model: str
    policy: str
    primary: str
    # "tenant:hash of the key", and the body's fingerprint; empty without an Idempotency-Key.
    idempotency: str = ""
    fingerprint: str = ""
    # The API process that waits; empty when nobody does.
    waiter: str = ""
    webhook: str = ""
    request_id: str = ""
    max_tries: int | None = None
    timeout_ms: int | None = None
    # The first candidate's id.
    deployment: str = ""
    # Circuit breakers are not to be asked.
    careless: bool = False
    # Estimates, of which limits by tokens are taken.
    prompt_tokens: int = 0
    completion_tokens: int = 0
    # What ordering read of the request, as JSON: the record drops the request once it is answered.
    asked: str = ""
    # The form in which it was asked (workers/surfaces), and what of the original request the answer needs, as JSON.
    surface: str = ""
    echo: str = ""
    # Whether and how the answer is streamed: empty, "1", or "usage" where the stream ends with the usage.
    stream: str = ""
    # The job whose request it runs again; empty for a request of its own.
    replay_of: str = ""
    # The id of the key it came with.
    key: str = ""
    # Which of the plan's providers are called with the tenant's own key: "provider:version ...", blanks around each.
    own: str = ""
    # The request said `store: false`: what was asked and answered leaves the record soon after the delivery.
    unstored: bool = False
    # The tenant's and the key's limits, as reserve.lua reads them; empty for none.
    limits: str = ""
    # What it is taken to cost, in micro-dollars, where there is a budget.
    expected_microusd: int = 0

    def fields(self) -> list[Any]:
        """The record's fields that the caller decides, as a flat list of names and values; without its tenant."""
        optional = {
            "waiters": self.waiter,
            "webhook": self.webhook,
            "request_id": self.request_id,
            "max_tries": self.max_tries,
            "timeout_ms": self.timeout_ms,
            "careless": "1" if self.careless else "",
            "asked": self.asked,
            "surface": self.surface,
            "echo": self.echo,
            "stream": self.stream,
            "replay_of": self.replay_of,
            "key": self.key,
            "unstored": "1" if self.unstored else "",
            "own": self.own,
        }
        pairs: list[Any] = [
            *("v", 1),
            *("request", self.request),
            *("plan", self.plan),
            *("model", self.model),
            *("policy", self.policy),
            *("primary", self.primary),
            *("deployment", self.deployment),
            *("tokens", f"{self.prompt_tokens} {self.completion_tokens}"),
        ]
        for name, value in optional.items():
            if value not in ("", None):
                pairs += (name, value)
        return pairs


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job was written; its pointer is on the queue."""

    id: str
    # Unix seconds.
    created: int = field(default=0, compare=False)
    # What is left of the tenant's limits.
    headroom: Headroom = field(default=Headroom(), compare=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: what the waiting request, a poll or a replay answers with."""

    id: str
    status: JobStatus
    http_status: int
    # The response body as JSON.
    answer: bytes
    # Of a streamed job: how many frames there are; None where nobody said.
    frames: int | None = None


def ended_of(job_id: str, status: bytes, http_status: bytes, answer: bytes) -> Ended | None:
    """A job's end as scripts tell it; None where there is no answer yet."""
    if not answer:
        return None
    return Ended(job_id, JobStatus(status.decode()), int(http_status), answer)


def used_words(usage: Usage, cost_microusd: int) -> tuple[int, ...]:
    """The words of usage.lua, in its order. A provider may claim anything; what is counted must stay countable."""
    tokens = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens)
    return tuple(min(max(amount, 0), MOST_USED) for amount in (*tokens, cost_microusd))


def seconds(milliseconds: bytes) -> int:
    """Unix seconds of a time as the ledger keeps it."""
    return int(float(milliseconds)) // 1000


@dataclass(frozen=True, slots=True)
class Existing:
    """The Idempotency-Key names a job already accepted; `ended` is None while it runs."""

    id: str
    status: JobStatus
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """The Idempotency-Key was used for another body."""

    id: str


class Room(StrEnum):
    """What became of a job that met a rate limit."""

    MOVED = "moved"
    PARKED = "parked"
    DEFERRED = "deferred"
    # Nobody has room before its deadline: the run still holds it.
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Told:
    """What a run tells when it gives its job back."""

    # The inside of a JSON array.
    attempts: str = ""
    # What was learnt of health and of limits, as words; of limits a line for each deployment.
    evidence: str = ""
    limits: str = ""
    # A second call that failed beside the run's own: "place full", full being 1 where it was for want of room.
    second: str = ""
    # What calls have used that did not answer to the end.
    spent: Usage = field(default_factory=Usage)
    spent_microusd: int = 0
    # The same cost as budgets count it.
    counted_microusd: int = 0


@dataclass(frozen=True, slots=True)
class SecondUse:
    """What a second call used that was made beside a run's own, and whether its answer was taken."""

    # The deployment's id.
    deployment: str
    answered: bool
    usage: Usage
    cost_microusd: int

    def words(self) -> str:
        """As usage.lua's split_off takes it."""
        used = " ".join(map(str, used_words(self.usage, self.cost_microusd)))
        return f"{self.deployment} {int(self.answered)} {used}"


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of one stream, the first of which has the number `start`."""

    start: int = 0
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run ends a job with."""

    status: JobStatus
    http_status: int
    answer: str
    told: Told
    usage: Usage
    cost_microusd: int = 0
    # What of a stream was not sent yet.
    frames: Frames = Frames()
    # The cost as budgets count it; None where nobody knows it: then it is what was expected.
    counted_microusd: int | None = None
    # What of `usage` and `cost_microusd` a second call has used; None where there was none with an answer.
    second: SecondUse | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of a provider account found; `error` is one line, empty where there is nothing to say."""

    status: CheckStatus
    latency_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as a poll sees it. Times are Unix seconds."""

    id: str
    tenant: str
    status: JobStatus
    model: str
    created_at: float
    deadline_at: float
    started_at: float | None
    ended_at: float | None
    provider: str | None
    attempts: tuple[dict[str, Any], ...]
    http_status: int | None
    answer: bytes | None
    webhook: str | None
    # None in a list.
    plan: Plan | None
    # The form in which it was asked, and what of the original request its answer needs.
    surface: str
    echo: dict[str, Any]
    # What was asked, as JSON; a completed job has it no more.
    request: bytes | None = None
    # The job whose request this one runs again, and the last that ran this one's.
    replay_of: str | None = None
    replayed_as: str | None = None
    # Its answer was not to be stored, and is there yet.
    unstored: bool = False

    def as_entry(self) -> dict[str, Any]:
        """The job as lists show it: without its plan and its response."""
        return {name: value for name, value in self.as_object().items() if name not in ("plan", "response")}

    def as_object(self) -> dict[str, Any]:
        """The job as polls and webhooks show it. `response` is in its surface's form, `error` in OpenAI's."""
        body = None if self.answer is None else json.loads(self.answer)
        error = None if body is None else body.get("error")
        return {
            "id": self.id,
            "object": "job",
            "status": self.status.value,
            "model": self.model,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "deadline_at": self.deadline_at,
            "provider": self.provider,
            "attempts": list(self.attempts),
            "replay_of": self.replay_of,
            "replayed_as": self.replayed_as,
            "plan": None if self.plan is None else self.plan.as_object(),
            "response": body if body is not None and error is None else None,
            "error": error,
        }

    @classmethod
    def parse(cls, job_id: str, stored: dict[bytes, bytes]) -> "JobRecord":
        """Decode a job's hash."""

        def seconds(name: bytes) -> float | None:
            return int(float(stored[name])) / 1000 if name in stored else None

        queue = stored[b"queue"].decode()
        attempts = tuple(json.loads(b"[" + stored.get(b"attempts", b"") + b"]"))
        answered = (attempt["provider"] for attempt in attempts if attempt.get("status") == AttemptStatus.COMPLETED)
        return cls(
            id=job_id,
            tenant=stored[b"tenant"].decode(),
            status=JobStatus(stored[b"status"].decode()),
            model=stored[b"model"].decode(),
            created_at=seconds(b"created") or 0.0,
            deadline_at=seconds(b"deadline") or 0.0,
            started_at=seconds(b"started"),
            ended_at=seconds(b"ended"),
            # A second call may have answered, of another provider than the one whose queue the job was on.
            provider=next(answered, queue.removeprefix("provider.")),
            attempts=attempts,
            http_status=int(stored[b"http_status"]) if b"http_status" in stored else None,
            answer=stored.get(b"answer"),
            webhook=stored[b"webhook"].decode() if b"webhook" in stored else None,
            plan=Plan.from_wire(json.loads(stored[b"plan"])) if b"plan" in stored else None,
            surface=stored.get(b"surface", b"").decode(),
            echo=json.loads(stored.get(b"echo", b"{}")),
            request=stored.get(b"request"),
            replay_of=stored[b"replay_of"].decode() if b"replay_of" in stored else None,
            replayed_as=stored[b"replayed_as"].decode() if b"replayed_as" in stored else None,
            unstored=b"unstored" in stored,
        )
