"""Sends on what comes in of streamed answers: all of a process's streams share the round trips."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

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
# Steps begin no closer than this for each open stream, within these bounds: one, with what it sets off, costs as much
# as several chunks, so under load many share it. First content does not wait, nor does a lone stream of usual pace.
PACE_PER_STREAM_S, LEAST_PACE_S, LONGEST_PACE_S = 0.0001, 0.005, 0.1


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
    """One greenlet sends what all streams of this process have ready, in shared round trips.

    A first content leaves at once, and so does a lone chunk; what comes in until the next step is due leaves together.
    """

    def __init__(self, streams: Streams, lost: Callable[[str, int], None]) -> None:
        """`lost` is told of runs that no longer hold their job."""
        self._streams = streams
        self._lost = lost
        self._open: set[Outgoing] = set()
        self._ready: dict[Outgoing, None] = {}
        # Those of them that have their first content to send.
        self._first: dict[Outgoing, None] = {}
        self._under_way: set[Outgoing] = set()
        self._wake = Event()
        self._hurry = Event()
        self._turned = Event()

    def start(self) -> None:
        """Start sending."""
        keep_running(self._run)

    @contextmanager
    def open(self, job_id: str, epoch: int, start: int) -> Iterator[Outgoing]:
        """In this block, the way out for a run whose job's stream has `start` frames already."""
        outgoing = Outgoing(self, job_id, epoch, start)
        self._open.add(outgoing)
        try:
            yield outgoing
        finally:
            self._open.discard(outgoing)

    def wake(self, outgoing: Outgoing, *, at_once: bool) -> None:
        """Send what `outgoing` has."""
        self._ready[outgoing] = None
        if at_once:
            self._first[outgoing] = None
            self._hurry.set()
        self._wake.set()

    def settle(self, outgoing: Outgoing, most: int) -> None:
        """Wait until nothing of `outgoing` is on its way and at most `most` of its lines wait; then send no more."""
        while outgoing in self._under_way or outgoing.waiting > most:
            self._turned.wait()
        self._ready.pop(outgoing, None)
        self._first.pop(outgoing, None)

    def _run(self) -> None:
        due = 0.0
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._ready:
                now = time.monotonic()
                if now >= due:
                    due = now + min(max(len(self._open) * PACE_PER_STREAM_S, LEAST_PACE_S), LONGEST_PACE_S)
                    self._turn(self._ready)
                elif self._first:
                    self._turn(self._first)
                if not self._first:
                    self._hurry.clear()
                self._hurry.wait(max(0.0, due - time.monotonic()))

    def _turn(self, chosen: Iterable[Outgoing]) -> None:
        """One round trip. What it carried stays ready until it is known to have arrived."""
        batch, room = [], MOST_IN_ALL
        for outgoing in chosen:
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
            self._first.pop(outgoing, None)
            if count is None or count < outgoing.start:
                self._lost(outgoing.job_id, outgoing.epoch)
                continue
            outgoing.arrived(count)
            if outgoing.waiting:
                self._ready[outgoing] = None
