"""A job as one run of it got it from the ledger, or where the run must go instead."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.plan import Plan


@dataclass(frozen=True, slots=True)
class Detour:
    """Where a run must go because its call may not be made now: to the candidate at `place`, after `wait_s`."""

    place: int
    # 0: at once; None: nobody knows.
    wait_s: float | None
    # It is permits that are missing, and not before the job's deadline will there be one.
    full: bool = False

    @classmethod
    def parse(cls, place: int, wait_ms: int, full: int) -> "Detour":
        """Decode claim.lua's words."""
        return cls(place, None if wait_ms < 0 else wait_ms / 1000, bool(full))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job as one run of it got it. `age_ms` is since it was accepted, `remaining_ms` until its deadline."""

    id: str
    epoch: int
    tenant: str
    request: dict[str, Any]
    plan: Plan
    candidate: int
    # Attempts so far, as the inside of a JSON array.
    attempts: str
    age_ms: int
    remaining_ms: int
    queue_ms: int
    max_tries: int | None
    timeout_ms: int | None
    request_id: str
    # How often it was deferred already.
    defers: int
    # The run is one of the few that find out whether a deployment is well again.
    probe: bool = False
    detour: Detour | None = None
    # The furthest place it has been to, and those before it that it left only because they had no room.
    reached: int = 0
    limited: tuple[int, ...] = ()
    # Whether circuit breakers are to be asked for it.
    guarded: bool = False
    # When it was accepted, Unix seconds.
    created: int = 0
    # The form in which it was asked, and what of the original request the answer needs, as JSON.
    surface: str = ""
    echo: str = ""
    # How many frames went out of the answer already; None for one that is not streamed.
    streamed: int | None = None
    # Of a line of a batch: how often it has begun again with its first candidate. None for other jobs.
    rounds: int | None = None
    # The providers that are called with the tenant's own key, and which version of it; 0: the one its file names.
    own: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, job_id: str, epoch: int, reply: list[Any]) -> "Claimed":
        """Decode claim.lua's reply."""
        return cls(
            id=job_id,
            epoch=epoch,
            tenant=reply[0].decode(),
            request=json.loads(reply[1]),
            plan=Plan.from_wire(json.loads(reply[2])),
            candidate=int(reply[3]),
            attempts=reply[4].decode(),
            age_ms=reply[5],
            remaining_ms=reply[6],
            queue_ms=reply[7],
            max_tries=int(reply[8]) if reply[8] else None,
            timeout_ms=int(reply[9]) if reply[9] else None,
            request_id=reply[10].decode(),
            defers=int(reply[11] or 0),
            probe=bool(reply[12]),
            detour=Detour.parse(*reply[13:16]) if reply[13] != b"" else None,
            reached=reply[16],
            limited=tuple(sorted(map(int, reply[17].split()))),
            guarded=bool(reply[18]),
            created=int(float(reply[19])) // 1000,
            surface=reply[20].decode(),
            echo=reply[21].decode(),
            streamed=None if reply[22] < 0 else reply[22],
            rounds=None if reply[23] < 0 else reply[23],
            own=_own(reply[24].decode()),
        )


def _own(words: str) -> Mapping[str, int]:
    return {name: int(version) for name, _, version in (word.rpartition(":") for word in words.split())}
