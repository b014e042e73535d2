"""Adds what this process has counted to what all have, every second, and says that the process is alive."""

import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent
import structlog
from redis import Redis
from redis.exceptions import RedisError

from workers.metrics import history
from workers.metrics.meter import Meter

log = structlog.get_logger()

INTERVAL_S = 1.0
# A worker that was not heard of for so long is taken for dead, and after this it is forgotten.
ALIVE_S, FORGOTTEN_S = 10.0, 3600.0


class Keeper:
    """One process's way to the metrics' hashes. What Redis does not take is added later."""

    def __init__(
        self, client: "Redis", prefix: str, meter: Meter, queues: str = "", running: Callable[[], int] | None = None
    ) -> None:
        """`queues` is what the process serves, in words, and `running` how many jobs it runs; of a worker."""
        self._redis = client
        self._prefix = prefix
        self._meter = meter
        self._queues = queues
        self._running = running
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def once(self) -> None:
        """Hand on what was counted; raises RedisError where Redis did not take it."""
        added = self._meter.drain()
        if not added and self._running is None:
            return
        step = self._redis.pipeline(transaction=True)
        metrics, past = history.split(added)
        for name, fields in metrics.items():
            for field, amount in fields.items():
                step.hincrbyfloat(f"{self._prefix}metrics:{name}", field, amount)
        if past:
            _remember(step, history.writes(self._prefix, past, time.time()))
        if self._running is not None:
            now = self._redis.time()[0]
            step.hset(f"{self._prefix}workers", self._name, f"{now} {self._running()} {self._queues}")
        try:
            step.execute()
        except RedisError:
            self._meter.put_back(added)
            raise

    def run(self) -> None:
        """Go on for ever."""
        away = forgotten = False
        while True:
            gevent.sleep(INTERVAL_S)
            try:
                self.once()
                away, forgotten = False, forgotten or self._forget_dead()
            except RedisError as error:
                if not away:
                    log.warning("metrics.not_kept", why=str(error))
                away = True

    def _forget_dead(self) -> bool:
        """Drop workers that were not heard of for long: those that were killed never said goodbye."""
        if self._running is not None:
            now, key = self._redis.time()[0], f"{self._prefix}workers"
            heard = {name: int(text.split()[0]) for name, text in self._redis.hgetall(key).items()}
            dead = [name for name, at in heard.items() if now - at > FORGOTTEN_S]
            if dead:
                self._redis.hdel(key, *dead)
        return True

    def leave(self) -> None:
        """The process ends in order: its last counts, and it is no worker any more."""
        try:
            self.once()
            self._redis.hdel(f"{self._prefix}workers", self._name)
        except RedisError:
            return


def _remember(step: Any, additions: Iterable[tuple[str, str, float]]) -> None:
    keys = set()
    for key, field, amount in additions:
        step.hincrbyfloat(key, field, amount)
        keys.add(key)
    for key in keys:
        step.expire(key, history.keep_s())
