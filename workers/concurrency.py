"""How many calls one worker process has under way at once: learnt, where a provider refuses for being crowded.

Additive increase, and decrease to what the provider was seen to take. Each process adapts by itself: as with TCP, they
share what there is without knowing of each other.
"""

import time
from collections.abc import Callable

import structlog
from gevent.event import Event

log = structlog.get_logger()

# How long a bound holds before one more call (a tenth more, of many) is tried.
HOLD_S = 10.0
# More than a worker can have under way.
UNBOUND = 10_000
# A bound grows with time; nobody who waits for a place is told.
_LOOK_S = 0.5
# What one burst of refusals leaves of a bound, at least.
_KEPT = 0.7


class AdaptiveConcurrency:
    """A bound on calls under way, at least 1. It starts beyond any worker's own, and most providers never move it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bound = UNBOUND
        self._under_way = 0
        self._room = Event()
        self._held_since = 0.0
        # When the last burst of refusals began, and the least it may leave.
        self._burst_at = -1.0
        self._floor = 1

    @property
    def bound(self) -> int:
        """How many calls may be under way now."""
        if self._bound < UNBOUND and self._clock() - self._held_since >= HOLD_S:
            self._bound = min(UNBOUND, self._bound + max(1, self._bound // 10))
            self._held_since = self._clock()
        return self._bound

    @property
    def crowded(self) -> bool:
        """Whether a call would have to wait now."""
        return self._under_way >= self.bound

    def begin(self, patience_s: float) -> float | None:
        """Wait for a place, and begin a call; returns when that was, which `end` is to be given.

        None where there was no place within `patience_s`: nothing has begun.
        """
        give_up_at = self._clock() + patience_s
        while self.crowded:
            left_s = give_up_at - self._clock()
            if left_s <= 0:
                return None
            self._room.clear()
            self._room.wait(min(_LOOK_S, left_s))
        self._under_way += 1
        return self._clock()

    def end(self, began: float, *, crowded: bool) -> None:
        """A call has ended. `crowded`: it was refused because too many were under way.

        The refusals of calls that began together are one burst: those still under way after it are what the provider
        takes, but where a bound stood already it loses a third at most. An answer may be here before the provider
        counts its call as ended, so a single refusal says little.
        """
        self._under_way -= 1
        self._room.set()
        if not crowded:
            return
        takes = self._under_way
        if began >= self._burst_at:
            self._burst_at = self._clock()
            self._floor = 1
            if self._bound < UNBOUND:
                self._floor = max(1, int(self._bound * _KEPT))
                takes = self._bound - 1
        takes = max(takes, self._floor)
        if takes < self._bound:
            log.info("concurrency.lowered", was=self._bound, now=takes)
            self._bound = takes
        self._held_since = self._clock()
