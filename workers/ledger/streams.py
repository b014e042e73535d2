"""The frames of streamed answers in the ledger: sent on by the run that makes them, followed by whoever waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.ledger.record import Ended, Frames, ended_of, seconds
from workers.ledger.steps import Steps
from workers.queues import PROVIDER_QUEUE

# How many frames one step reads.
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Followed:
    """A page of a job's stream: `frames` from the one that was asked for on. `created` is Unix seconds."""

    created: int
    surface: str
    # The echo as JSON, and the record's `stream`; empty where the job has none.
    echo: str
    stream: str
    provider: str
    # As it was asked for.
    model: str
    frames: list[bytes]
    # Whether there are no more frames now; the end comes with the last of them.
    all: bool
    ended: Ended | None


class Streams:
    """Each method is one atomic step and one (shared) round trip; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def relay(self, batch: Sequence[tuple[str, int, Frames]]) -> list[int | None]:
        """Send on frames of several runs, (job id, epoch, frames) each.

        Returns how many each one's stream has now; None where the run lost its job. Frames that are there already are
        left alone; after a gap none is added.
        """
        flat: list[Any] = []
        for job_id, epoch, frames in batch:
            flat += (job_id, epoch, frames.start, len(frames.lines), *frames.lines)
        return [None if count < 0 else count for count in self._steps.run("relay", *flat)]

    def follow(self, job_id: str, tenant: str, address: str, start: int, most: int = PAGE) -> Followed | None:
        """What there is of a job's stream from frame `start` on; `address` is sent the rest, where it is not empty.

        None: the tenant has no such job.
        """
        reply = self._steps.run("follow", job_id, tenant, address, start, most)
        if not reply:
            return None
        return Followed(
            created=seconds(reply[3]),
            surface=reply[4].decode(),
            echo=reply[5].decode(),
            stream=reply[6].decode(),
            provider=reply[7].decode().removeprefix(PROVIDER_QUEUE),
            model=reply[9].decode(),
            frames=reply[10:],
            all=bool(reply[8]),
            ended=ended_of(job_id, *reply[:3]),
        )

    def all_frames(self, job_id: str, tenant: str) -> list[bytes]:
        """Every frame that went out so far."""
        frames: list[bytes] = []
        while page := self.follow(job_id, tenant, "", len(frames)):
            frames += page.frames
            if page.all:
                break
        return frames
