"""Circuit breakers as routing sees them: what the ledger's script wrote, and whether a call may go through. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """resilience4j's states; the forced ones are the operator's."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    FORCED_CLOSED = "forced_closed"

    @property
    def forced(self) -> bool:
        """Whether it stays until the operator says otherwise."""
        return self in (BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls of one slice of the window that begins at `start_s` (Unix seconds)."""

    start_s: float
    calls: int
    failures: int
    slow: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker. `until_s` is when an open one lets probes through; times are Unix seconds."""

    state: BreakerState = BreakerState.CLOSED
    changed_s: float = 0.0
    until_s: float = 0.0
    # Openings since it was last closed: each waits longer.
    trips: int = 0
    # Openings ever.
    opened: int = 0
    # Runs let through half open whose outcome is not known yet.
    probes: int = 0
    # Newest first. Half open: the probes' outcomes; open: what opened it.
    ring: tuple[Bucket, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Breaker | None":
        """A field of the ledger's hash of breakers (its form is told in breaker.lua); None where it is malformed."""
        try:
            state, changed, until, trips, opened, probes, ring = text.split(" ")
            return cls(
                BreakerState(state),
                _whole(changed) / 1000,
                _whole(until) / 1000,
                _whole(trips),
                _whole(opened),
                0 if probes == "-" else len(probes.split(",")),
                () if ring == "-" else tuple(map(_bucket, ring.split(","))),
            )
        except ValueError:
            return None

    def wait_s(self, now: float) -> float | None:
        """Seconds until a call may be tried: 0 now, None when nobody knows.

        Half open is 0: whether a place for a probe is free is decided where it is taken, when the job is claimed.
        """
        match self.state:
            case BreakerState.OPEN:
                return max(self.until_s - now, 0.0)
            case BreakerState.FORCED_OPEN:
                return None
            case _:
                return 0.0

    def allows(self, now: float) -> bool:
        """Whether a call may be tried at `now`."""
        return self.wait_s(now) == 0.0

    @property
    def next_attempt_s(self) -> float | None:
        """When an open breaker lets probes through; None in every other state."""
        return self.until_s if self.state is BreakerState.OPEN else None

    def failure_count(self, now: float, window_s: float) -> int:
        """Failures that count now: of the last `window_s` where it is closed, else all that it keeps."""
        oldest = now - window_s if self.state is BreakerState.CLOSED else 0.0
        return sum(bucket.failures for bucket in self.ring if bucket.start_s > oldest)

    def idle_since(self, moment: float) -> bool:
        """Whether nothing happened to it after `moment`; never of one that is forced."""
        newest = max([self.changed_s, *(bucket.start_s for bucket in self.ring)])
        return not self.state.forced and newest < moment


def _whole(word: str) -> int:
    # int() would take signs, blanks and underscores as well.
    if not (word.isascii() and word.isdigit() and len(word) <= 15):
        raise ValueError(word)
    return int(word)


def _bucket(text: str) -> Bucket:
    start, calls, failures, slow = map(_whole, text.split(":"))
    return Bucket(start / 1000, calls, failures, slow)
