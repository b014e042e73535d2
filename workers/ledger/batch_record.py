"""A batch as its tenant sees it, in OpenAI's form and words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.job import Usage


class BatchStatus(StrEnum):
    """A batch's state, in OpenAI's words."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing of it changes any more."""
        return self in _ENDED


_ENDED = (BatchStatus.FAILED, BatchStatus.COMPLETED, BatchStatus.EXPIRED, BatchStatus.CANCELLED)
# When a batch came into a state: OpenAI's names, which are those of the record's fields, too.
_TIMES = tuple(
    f"{state}_at"
    for state in ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
)


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """A batch as it is accepted."""

    id: str
    tenant: str
    endpoint: str
    input_file: str
    # As the caller wrote it, and in seconds.
    window: str
    window_s: float
    metadata: Mapping[str, str] | None = None
    webhook: str = ""
    # How long its files are kept, in seconds; None: as long as the batch.
    files_kept_s: int | None = None
    # A hash of the Idempotency-Key and of the body it came with; empty without one.
    idempotency: str = ""
    fingerprint: str = ""
    # The id of the key it came with.
    key: str = ""

    def fields(self) -> list[Any]:
        """The record's fields that the caller decides, as a flat list of names and values."""
        pairs: list[Any] = ["v", 1, "endpoint", self.endpoint, "input_file", self.input_file, "window", self.window]
        if self.metadata is not None:
            pairs += ("metadata", json.dumps(self.metadata))
        if self.webhook:
            pairs += ("webhook", self.webhook)
        if self.files_kept_s is not None:
            pairs += ("files_kept_s", self.files_kept_s)
        if self.key:
            pairs += ("key", self.key)
        return pairs


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's record. Times are Unix seconds."""

    id: str
    tenant: str
    status: BatchStatus
    endpoint: str
    input_file: str
    window: str
    created_at: float
    deadline_at: float
    total: int
    completed: int
    failed: int
    # Where its worker stands in the input: how many lines were read, and how many bytes.
    cursor: int
    offset: int
    # How many parts of its output are stored.
    parts: int
    usage: Usage
    times: Mapping[str, int]
    metadata: Mapping[str, str] | None = None
    webhook: str | None = None
    output_file: str | None = None
    error_file: str | None = None
    errors: tuple[Mapping[str, Any], ...] = ()
    files_kept_s: int | None = None
    key: str = ""
    # When it ended; None while it has not.
    ended_at: float | None = field(default=None)

    @property
    def window_s(self) -> float:
        """How long it may take from its creation on, in seconds."""
        return self.deadline_at - self.created_at

    def as_object(self) -> dict[str, Any]:
        """The batch in OpenAI's form."""
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": {"object": "list", "data": list(self.errors)} if self.errors else None,
            "input_file_id": self.input_file,
            "completion_window": self.window,
            "status": self.status.value,
            "output_file_id": self.output_file,
            "error_file_id": self.error_file,
            "created_at": int(self.created_at),
            "expires_at": int(self.deadline_at),
            **{name: self.times.get(name) for name in _TIMES},
            "request_counts": {"total": self.total, "completed": self.completed, "failed": self.failed},
            "usage": {
                "input_tokens": self.usage.prompt_tokens,
                "input_tokens_details": {"cached_tokens": self.usage.cached_tokens},
                "output_tokens": self.usage.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": self.usage.reasoning_tokens},
                "total_tokens": self.usage.prompt_tokens + self.usage.completion_tokens,
            },
            "metadata": self.metadata,
        }

    @classmethod
    def parse(cls, batch_id: str, stored: Mapping[bytes, bytes]) -> "Batch":
        """Decode a batch's hash."""

        def text(name: str) -> str | None:
            value = stored.get(name.encode())
            return None if value is None else value.decode()

        def number(name: str) -> int:
            return int(float(stored.get(name.encode(), b"0")))

        status = BatchStatus(text("status") or "")
        ended = stored.get(b"ended")
        times = {name: number(name) // 1000 for name in _TIMES if name.encode() in stored}
        metadata, kept_s = text("metadata"), text("files_kept_s")
        return cls(
            id=batch_id,
            tenant=text("tenant") or "",
            status=status,
            endpoint=text("endpoint") or "",
            input_file=text("input_file") or "",
            window=text("window") or "",
            created_at=number("created") / 1000,
            deadline_at=number("deadline") / 1000,
            total=number("total"),
            completed=number("completed"),
            failed=number("failed"),
            cursor=number("cursor"),
            offset=number("offset"),
            parts=number("parts"),
            usage=Usage(number("prompt"), number("completion"), number("cached"), number("reasoning")),
            times=times,
            metadata=None if metadata is None else json.loads(metadata),
            webhook=text("webhook"),
            output_file=text("output_file"),
            error_file=text("error_file"),
            errors=tuple(json.loads(text("errors") or "[]")),
            files_kept_s=None if kept_s is None else int(kept_s),
            key=text("key") or "",
            ended_at=None if ended is None else int(float(ended)) / 1000,
        )
