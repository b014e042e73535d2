"""Many replays one after another: paced, each made once, and stopped where going on makes no sense."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.client import ApiError, Client

# How often one replay is tried while the API is away, busy or has no answer, and how long in between unless it says.
_TRIES = 5
_PAUSE_S = 1.0
# So many refusals in a row speak of what is asked for, not of the jobs.
_REFUSALS = 5


@dataclass(slots=True)
class Report:
    """What was done."""

    # Job -> the new job.
    replayed: dict[str, str] = field(default_factory=dict)
    # Job -> why not.
    refused: dict[str, str] = field(default_factory=dict)
    # Why the rest was not tried; empty where there is none.
    stopped: str = ""

    def as_object(self, before: int) -> dict[str, Any]:
        """As JSON; `before` were replayed earlier."""
        return {
            "replayed": [{"id": old, "replayed_as": new} for old, new in self.replayed.items()],
            "refused": [{"id": old, "error": why} for old, why in self.refused.items()],
            "replayed_before": before,
            "stopped": self.stopped or None,
        }


class BulkReplay:
    """Replays jobs with the same changes. `once`: a job that anybody replays so meanwhile is not replayed again."""

    def __init__(self, client: Client, changes: Mapping[str, Any], *, once: bool, rate: float) -> None:
        """`rate` is in jobs per second."""
        self._client = client
        self._changes = dict(changes)
        self._interval_s = 1 / rate
        # Without `once`, only a request that is repeated because its answer was lost is the same.
        self._salt = "" if once else f"-{secrets.token_hex(8)}"

    def run(self, job_ids: Sequence[str], progress: Callable[[int], None]) -> Report:
        """Replay them in this order; `progress` is told how many are done. Ctrl-C ends it with what was done."""
        report, in_a_row = Report(), 0
        try:
            for done, job_id in enumerate(job_ids, start=1):
                began = time.monotonic()
                try:
                    report.replayed[job_id] = self._replay(job_id)
                    in_a_row = 0
                except ApiError as error:
                    if error.status not in (400, 404, 409):
                        report.stopped = error.message
                        break
                    report.refused[job_id] = error.message
                    in_a_row += 1
                progress(done)
                if in_a_row == _REFUSALS and done < len(job_ids):
                    report.stopped = f"the last {_REFUSALS} were refused"
                    break
                if done < len(job_ids):
                    time.sleep(max(began + self._interval_s - time.monotonic(), 0))
        except KeyboardInterrupt:
            report.stopped = "interrupted"
        return report

    def _replay(self, job_id: str) -> str:
        headers = {"Idempotency-Key": f"replay-{job_id}{self._salt}"}
        for tries in range(1, _TRIES + 1):
            try:
                answer = self._client.post(f"/v1/jobs/{job_id}/replay", self._changes, headers=headers)
                return str(answer["id"])
            except ApiError as error:
                if tries == _TRIES or error.status not in (None, 429, 502, 503, 504):
                    raise
                time.sleep(error.retry_after_s or _PAUSE_S)
        raise AssertionError("the last try returns or raises")
