"""How long a job would wait in a provider's queue, from what the queue looked like twice. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.job import PRIORITY_STEPS

# Claims and the time they took count half after this long, so that a slow provider's rate is steady.
HALF_LIFE_S = 10.0
# A queue nobody takes from is not said to wait longer than this, a slow one not longer than that.
LONGEST_STUCK_S, LONGEST_S = 60.0, 600.0


@dataclass(frozen=True, slots=True)
class QueueReading:
    """One provider's queue at `read_s` (Unix seconds): pointers by priority step, and how many were ever claimed."""

    depths: tuple[int, ...]
    claims: int
    read_s: float


@dataclass(frozen=True, slots=True)
class QueueWatch:
    """A queue's last reading, and what is known of its pace from those before."""

    reading: QueueReading
    # While jobs stood in it: decayed claims, and the decayed seconds they came in.
    claims: float = 0.0
    seconds: float = 0.0
    # Since when jobs stand and none was claimed; None where it moves, or is empty.
    stuck_s: float | None = None
    # The wait in ms of a job that comes now, by priority step.
    waits_ms: tuple[float, ...] = (0.0,) * len(PRIORITY_STEPS)

    def next(self, reading: QueueReading) -> "QueueWatch":
        """With one reading more.

        Only what stood there both times counts as standing: a queue that is emptied as fast as it is filled holds a
        few jobs whenever one looks, and nobody waits. wait = standing / rate, the rate being claims per second; where
        nothing was claimed, at least as long as nothing has been.
        """
        elapsed_s = reading.read_s - self.reading.read_s
        if elapsed_s <= 0:
            return self
        standing = _standing(self.reading.depths, reading.depths)
        if not standing[-1]:
            return QueueWatch(reading)
        # A store that was emptied counts from nothing again.
        claimed = reading.claims - self.reading.claims if reading.claims >= self.reading.claims else reading.claims
        kept = 0.5 ** (elapsed_s / HALF_LIFE_S)
        claims, seconds = self.claims * kept + claimed, self.seconds * kept + elapsed_s
        stuck_s = None
        if not claimed:
            stuck_s = self.reading.read_s if self.stuck_s is None else self.stuck_s
        least_s = 0.0 if stuck_s is None else min(reading.read_s - stuck_s, LONGEST_STUCK_S)
        each_s = seconds / claims if claims else 0.0
        waits_ms = tuple(1000 * max(min(jobs * each_s, LONGEST_S), least_s) if jobs else 0.0 for jobs in standing)
        return QueueWatch(reading, claims, seconds, stuck_s, waits_ms)


def watched(
    before: Mapping[str, QueueWatch], readings: Mapping[str, QueueReading]
) -> tuple[dict[str, QueueWatch], dict[str, tuple[float, ...]]]:
    """Each provider's watch after its new reading, and the waits in ms, by priority step, where there are any."""
    watches = {
        provider: before[provider].next(reading) if provider in before else QueueWatch(reading)
        for provider, reading in readings.items()
    }
    return watches, {provider: watch.waits_ms for provider, watch in watches.items() if any(watch.waits_ms)}


def _standing(before: Sequence[int], now: Sequence[int]) -> list[int]:
    """By priority step, how many jobs at or before it stood in the queue both times."""
    return [min(sum(before[:step]), sum(now[:step])) for step in range(1, len(PRIORITY_STEPS) + 1)]
