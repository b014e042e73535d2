"""Sends on what comes in of streamed answers: all of a process's streams share the round trips."""

import time
from collections.abc import Callable, Sequence

import gevent
import structlog
from gevent.event import Event

from routing.errors import StoreUnavailable
from workers.ledger.record import Frames
from workers.ledger.streams import Streams
from workers.loops import keep_running

log = structlog.get_logger()

# How much one step carries: of one stream, and of all (an argument list that Redis and its Lua take easily).
MOST_OF_ONE = 500
MOST_IN_ALL = 4000
STORE_RETRY_S = 0.25
# Steps begin no closer than this: one costs as much as some ten chunks on their way through three processes, so under
# load many share it. A stream's first content does not wait for it, nor does a lone stream of usual pace.
PACE_S = 0.005


class Outgoing:
    """One run's part of a job's stream. `start` frames went out before it."""

    __slots__ = ("_lines", "_relay", "_sent", "epoch", "job_id", "start")

    def __init__(self, relay: "Relay", job_id: str, epoch: int, start: int) -> None:
        self.job_id = job_id
        self.epoch = epoch
        self.start = start
        self._relay = relay
        # All of the run's lines: what the ledger turns out to lack is sent again.
        self._lines: list[str] = []
        self._sent = 0

    @property
    def lines(self) -> Sequence[str]:
        """All that this run has to say, sent or not."""
        return self._lines

    @property
    def begun(self) -> bool:
        """Whether anything went out, of this run or an earlier one."""
        return self.start > 0 or bool(self._lines)

    def write(self, lines: Sequence[str]) -> None:
        """Send `lines` on, soon and in order; the first of them at once."""
        at_once = not self._lines
        self._lines += lines
        self._relay.wake(self, at_once=at_once)

    def batch(self, most: int) -> Frames:
        """What goes with the next step."""
        return Frames(self.start + self._sent, self._lines[self._sent : self._sent + min(most, MOST_OF_ONE)])

    def arrived(self, count: int) -> None:
        """Note how many frames the stream has now."""
        self._sent = min(max(count - self.start, 0), len(self._lines))

    @property
    def waiting(self) -> int:
        """How many lines were not sent yet."""
        return len(self._lines) - self._sent

    def rest(self) -> Frames:
        """What was not sent yet, few enough to go with the step that ends the job. Waits for what is on its way."""
        self._relay.settle(self, most=MOST_OF_ONE)
        return Frames(self.start + self._sent, self._lines[self._sent :])


class Relay:
    """One greenlet sends what all streams of this process have ready, one round trip after another.

    A lone chunk leaves at once; what comes in during a step, or within PACE_S of its beginning, leaves together.
    """

    def __init__(self, streams: Streams, lost: Callable[[str, int], None]) -> None:
        """`lost` is told of runs that no longer hold their job."""
        self._streams = streams
        self._lost = lost
        self._ready: dict[Outgoing, None] = {}
        self._under_way: set[Outgoing] = set()
        self._wake = Event()
        self._hurry = Event()
        self._turned = Event()

    def start(self) -> None:
        """Start sending."""
        keep_running(self._run)

    def open(self, job_id: str, epoch: int, start: int) -> Outgoing:
        """The way out for a run whose job's stream has `start` frames already."""
        return Outgoing(self, job_id, epoch, start)

    def wake(self, outgoing: Outgoing, *, at_once: bool) -> None:
        """Send what `outgoing` has."""
        self._ready[outgoing] = None
        self._wake.set()
        if at_once:
            self._hurry.set()

    def settle(self, outgoing: Outgoing, most: int) -> None:
        """Wait until nothing of `outgoing` is on its way and at most `most` of its lines wait; then send no more."""
        while outgoing in self._under_way or outgoing.waiting > most:
            self._turned.wait()
        self._ready.pop(outgoing, None)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._ready:
                began = time.monotonic()
                self._hurry.clear()
                self._turn()
                self._hurry.wait(max(0.0, began + PACE_S - time.monotonic()))

    def _turn(self) -> None:
        """One round trip. What it carried stays ready until it is known to have arrived."""
        batch, room = [], MOST_IN_ALL
        for outgoing in self._ready:
            frames = outgoing.batch(room)
            batch.append((outgoing, frames))
            room -= len(frames.lines)
            if room <= 0:
                break
        self._under_way = {outgoing for outgoing, _ in batch}
        try:
            counts = self._streams.relay([(out.job_id, out.epoch, frames) for out, frames in batch])
        except StoreUnavailable:
            gevent.sleep(STORE_RETRY_S)
            return
        finally:
            self._under_way = set()
            turned, self._turned = self._turned, Event()
            turned.set()
        for (outgoing, _), count in zip(batch, counts, strict=True):
            # Those that have more to send queue up behind the others.
            del self._ready[outgoing]
            if count is None or count < outgoing.start:
                self._lost(outgoing.job_id, outgoing.epoch)
                continue
            outgoing.arrived(count)
            if outgoing.waiting:
                self._ready[outgoing] = None
