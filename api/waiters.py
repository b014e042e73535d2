"""The requests of this process that wait for a job: one reply list in Redis, one greenlet that reads it."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import gevent
import redis
import structlog
from gevent.event import AsyncResult

from routing.errors import StoreUnavailable
from routing.job import JobStatus
from workers.ledger.ledger import Ledger
from workers.ledger.record import Ended
from workers.loops import keep_running

log = structlog.get_logger()

# How many replies one round trip takes.
MAX_BATCH = 256
# How long the reader waits in the server; longer only delays noticing a connection that died silently.
BLOCK_S = 5.0
# A reply can be lost with the connection that carried it, so whoever waits long asks the ledger now and then.
RECHECK_S = 15.0
RECONNECT_S = 0.25
# How often it is looked who has waited for so long that a stream must be kept.
NUDGE_S = 0.25
# The word in a reply's head where an end has its status (frames.lua).
FRAMES = "frames"


@dataclass(slots=True)
class Waiter:
    """One request that waits for one job."""

    result: AsyncResult = field(default_factory=AsyncResult)
    since: float = field(default_factory=time.monotonic)

    def frames(self, start: int, lines: Sequence[bytes]) -> None:
        """Frames of a stream are nothing to who waits for the whole answer."""

    def fall_behind(self) -> None:
        """A reply may have been lost; the ledger is asked for the end."""

    def end(self, ended: Ended) -> None:
        """Take how the job ended."""
        self.result.set(ended)

    def nudge(self, before: float) -> None:
        """Who waits for the whole answer has a time of its own."""

    def leave(self) -> None:
        """End the wait: the caller has gone."""
        self.result.set(None)

    def wait(self, timeout_s: float) -> Ended | None:
        """How the job ended; None when the wait ended first."""
        ended: Ended | None = self.result.wait(timeout_s)
        return ended


class Listener(Protocol):
    """Whoever is told of a job here. No method may wait for anything."""

    since: float

    def frames(self, start: int, lines: Sequence[bytes]) -> None:
        """Take frames of its stream, the first of which has the number `start`."""

    def fall_behind(self) -> None:
        """Know that something may have been missed."""

    def end(self, ended: Ended) -> None:
        """Take how it ended."""

    def nudge(self, before: float) -> None:
        """Do what is to be done where nothing has come since `before` (monotonic seconds)."""


class Waiters:
    """Hands the ends of jobs to whoever waits for them here. `address` is what the ledger is told to reply to."""

    def __init__(self, client: redis.Redis, ledger: Ledger, prefix: str, keep_alive_s: float) -> None:
        self.address = secrets.token_hex(8)
        self._list = f"{prefix}replies:{self.address}"
        self._client = client
        self._ledger = ledger
        self._keep_alive_s = keep_alive_s
        self._waiting: dict[str, list[Listener]] = {}

    @contextmanager
    def expecting(self, job_id: str) -> Iterator[Waiter]:
        """Wait for `job_id` in this block. Enter it before the ledger is told the address."""
        waiter = Waiter()
        self.add(job_id, waiter)
        try:
            yield waiter
        finally:
            self.remove(job_id, waiter)

    def add(self, job_id: str, listener: Listener) -> None:
        """Tell `listener` of the job, once the ledger tells this process."""
        self._waiting.setdefault(job_id, []).append(listener)

    def remove(self, job_id: str, listener: Listener) -> None:
        """Tell it no more."""
        remaining = self._waiting[job_id]
        remaining.remove(listener)
        if not remaining:
            del self._waiting[job_id]

    def join(self, job_id: str, tenant: str, timeout_s: float) -> Ended | None:
        """Wait for a job that was accepted elsewhere; None when it did not end in time, or is not the tenant's."""
        with self.expecting(job_id) as waiter:
            attached = self._ledger.attach(job_id, tenant, self.address)
            if attached is None:
                return None
            _, ended = attached
            return ended or waiter.wait(timeout_s)

    def start(self) -> None:
        """Start reading replies and asking after those that may have been lost."""
        keep_running(self._read)
        keep_running(self._recheck)
        keep_running(self._nudge)

    def _read(self) -> None:
        while True:
            try:
                reply = self._client.execute_command("BLMPOP", BLOCK_S, 1, self._list, "LEFT", "COUNT", MAX_BATCH)
            except (redis.RedisError, OSError):
                gevent.sleep(RECONNECT_S)
                self._ask_ledger(older_than_s=0.0)
                continue
            if reply:
                for message in reply[1]:
                    self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        head, _, rest = message.partition(b"\n")
        job_id, word, number, *count = head.decode().split(" ")
        if word == FRAMES:
            lines = rest.split(b"\n")
            for listener in self._waiting.get(job_id, ()):
                listener.frames(int(number), lines)
        else:
            self._resolve(Ended(job_id, JobStatus(word), int(number), rest, int(count[0]) if count else None))

    def _resolve(self, ended: Ended) -> None:
        for listener in self._waiting.get(ended.id, ()):
            listener.end(ended)

    def _nudge(self) -> None:
        while True:
            gevent.sleep(NUDGE_S)
            before = time.monotonic() - self._keep_alive_s
            for listeners in list(self._waiting.values()):
                for listener in listeners:
                    listener.nudge(before)

    def _recheck(self) -> None:
        while True:
            gevent.sleep(RECHECK_S)
            self._ask_ledger(older_than_s=RECHECK_S)

    def _ask_ledger(self, older_than_s: float) -> None:
        latest = time.monotonic() - older_than_s
        waiting = [job_id for job_id, listeners in self._waiting.items() if listeners[0].since <= latest]
        for job_id in waiting:
            for listener in self._waiting[job_id]:
                listener.fall_behind()
        try:
            for ended in self._ledger.ended(waiting):
                self._resolve(ended)
        except StoreUnavailable:
            log.debug("waiters.not_rechecked", waiting=len(waiting))
