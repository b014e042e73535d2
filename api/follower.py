"""What one response has of a stream that it has not sent yet: a few frames, in order, each once."""

import time
from collections.abc import Sequence

from gevent.event import Event

from workers.ledger.record import Ended
from workers.ledger.streams import Followed

# A caller that reads more slowly than this fills is served from the ledger; more is never kept for it here.
MOST_BYTES = 64 * 1024


class Follower:
    """Frames as the reader of the reply list hands them on. Frame `next` is the one to be taken next."""

    def __init__(self) -> None:
        # When something last came, monotonic seconds.
        self.since = self._waits_since = time.monotonic()
        self.next = 0
        self._behind = False
        self._lines: list[bytes] = []
        self._bytes = 0
        self._ended: Ended | None = None
        # What comes while the ledger is asked for what is before it; None while nobody asks.
        self._early: list[tuple[int, Sequence[bytes]]] | None = None
        self._wake = Event()

    def frames(self, start: int, lines: Sequence[bytes]) -> None:
        """Take frames from number `start` on; what is known already is left out."""
        if self._behind:
            return
        known = self.next + len(self._lines)
        if self._bytes > MOST_BYTES:
            self.fall_behind()
        elif self._early is not None:
            self._early.append((start, lines))
            self._bytes += sum(map(len, lines))
        elif start > known:
            self.fall_behind()
        else:
            new = lines[known - start :]
            self._lines += new
            self._bytes += sum(map(len, new))
            self.since = time.monotonic()
            self._wake.set()

    def end(self, ended: Ended) -> None:
        """Take how the job ended; it is told after the last of its frames."""
        self._ended = ended
        self._wake.set()

    def fall_behind(self) -> None:
        """Have what comes next be read from the ledger."""
        self._behind = True
        self._early = None
        self._wake.set()

    def leave(self) -> None:
        """End a wait: the caller has gone."""
        self._wake.set()

    def take(self) -> list[bytes]:
        """The frames that are here."""
        lines, self._lines, self._bytes = self._lines, [], 0
        self.next += len(lines)
        return lines

    @property
    def behind(self) -> bool:
        """Whether frames were missed, or not kept: the ledger has them."""
        if self._ended is not None and self._ended.frames is not None:
            return self._behind or self._ended.frames > self.next + len(self._lines)
        return self._behind

    @property
    def ended(self) -> Ended | None:
        """How the job ended, once every frame was taken."""
        return None if self.behind or self._lines else self._ended

    def wait(self) -> None:
        """Until there is something to take, something was missed, the caller has gone, or `nudge` ends it.

        Without a time of its own: a timer for each wait would cost more than most chunks do.
        """
        if not (self._lines or self._ended or self.behind):
            self._waits_since = time.monotonic()
            self._wake.clear()
            self._wake.wait()

    def nudge(self, before: float) -> None:
        """End a wait that began `before` that moment (monotonic seconds)."""
        if self._waits_since <= before:
            self._wake.set()

    def asking(self) -> None:
        """The ledger is being asked for what comes from frame `next` on, all others having been taken.

        `turn` or `fall_behind` ends that.
        """
        self._behind = False
        self._early = []

    def turn(self, page: Followed) -> None:
        """Take a page of the ledger that begins with frame `next`."""
        early, self._early = self._early or (), None
        self._lines = list(page.frames)
        self._bytes = sum(map(len, page.frames))
        if page.ended is not None:
            self._ended = page.ended
        if not page.all:
            self._behind = True
        for start, lines in early:
            self.frames(start, lines)
