"""How many lines of batches a worker process runs at once: as many as leave its other jobs undisturbed.

Lines stand last in the queue, but a line that runs takes its share of the process. While jobs of other tiers come, the
process watches how late its own event loop is, and takes fewer lines where it is late (additive increase,
multiplicative decrease, as TCP does). While there are none, lines may have all of it.
"""

import time
from collections.abc import Callable

import gevent

# More than a worker can run.
UNBOUND = 10_000
# How late the loop may be, and how often that is looked at.
LATE_S, LOOK_S = 0.004, 0.02
# For so long after the last job of another tier there is taken to be such traffic.
MEMORY_S = 3.0
_LEAST, _FIRST = 2, 16
_LESS, _MORE = 0.6, 0.05


class Gaps:
    """A bound on lines that run now, and their number. One for each worker process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bound = float(UNBOUND)
        self._running = 0
        self._other_at = -MEMORY_S

    @property
    def room(self) -> int:
        """How many more lines may be taken now."""
        return max(int(self._bound) - self._running, 0)

    def begin(self, *, line: bool) -> None:
        """A job was taken: a line of a batch, or another."""
        if line:
            self._running += 1
            return
        if not self._busy_with_others():
            self._bound = min(self._bound, _FIRST)
        self._other_at = self._clock()

    def end(self) -> None:
        """A line has run."""
        self._running -= 1

    def look(self, late_s: float) -> None:
        """The loop was so late, in seconds."""
        if not self._busy_with_others():
            self._bound = UNBOUND
        elif late_s > LATE_S:
            self._bound = max(min(self._bound, self._running) * _LESS, _LEAST)
        elif self._running >= self._bound - 1:
            self._bound = min(self._bound * (1 + _MORE) + _MORE, UNBOUND)

    def run(self) -> None:
        """Watch the loop for ever."""
        while True:
            due = self._clock() + LOOK_S
            gevent.sleep(LOOK_S)
            self.look(self._clock() - due)

    def _busy_with_others(self) -> bool:
        return self._clock() - self._other_at < MEMORY_S
