"""Reads what is recorded of providers and queues from Redis every second: routing's one module that does I/O."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

from routing.breaker import Breaker
from routing.check import Check
from routing.health import Health
from routing.job import PRIORITY_STEPS
from routing.permits import Permits
from routing.queue_wait import QueueReading, QueueWatch, watched
from routing.snapshot import Snapshot

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class SnapshotReader:
    """Keeps `current` at most `interval_s` old. While Redis is away the last snapshot stays: routing fails open.

    `prefix` is that of all keys: the hashes read are `{prefix}health`, `{prefix}breakers`, `{prefix}checks`,
    `{prefix}permits` and `{prefix}claims`. `queues` says which provider's queue has which name; of these the depths
    are read as well.
    """

    def __init__(
        self,
        redis_client: "Redis",
        prefix: str,
        interval_s: float = 1.0,
        queues: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.current = Snapshot()
        self._redis = redis_client
        self._queues = queues
        self._watches: dict[str, QueueWatch] = {}
        self._prefix = prefix
        self._interval_s = interval_s
        self._parked: tuple[str, ...] = ()
        self._malformed: set[tuple[str, str]] = set()
        self._away = False
        self._greenlet: Any = None

    def start(self) -> None:
        """Read in a greenlet every `interval_s`, until `stop`. Starting twice is starting once."""
        import gevent  # noqa: PLC0415 - a process that only reads once stays free of gevent

        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._read_forever)

    def stop(self) -> None:
        """End the reading greenlet, if there is one."""
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None:
            greenlet.kill()

    def refresh(self) -> bool:
        """Read once; whether Redis answered. Its absence is logged once, as is each malformed field."""
        queues = self._queues()
        try:
            health, breakers, checks, permits, claims, parked, *counts = self._read(queues.values())
        except (RedisError, OSError) as error:
            if not self._away:
                _log.warning("health.unavailable", error=str(error))
            self._away = True
            return False
        self._away = False
        malformed: set[tuple[str, str]] = set()
        now = time.time()
        # With whom jobs were parked when it was read last: a newcomer is counted a second later.
        waiting = dict(zip(self._parked, counts, strict=False))
        depths = counts[len(self._parked) :]
        self._parked = tuple(map(_text, parked))
        readings = _readings(queues, {_text(name): int(count) for name, count in claims.items()}, depths, now)
        self._watches, waits_ms = watched(self._watches, readings)
        self.current = Snapshot(
            _parsed("health", health, Health.parse, malformed),
            now,
            _parsed("breaker", breakers, Breaker.parse, malformed),
            waits_ms,
            _parsed("check", checks, Check.parse, malformed),
            _parsed("limit", permits, Permits.parse, malformed),
            waiting,
        )
        for what, name in sorted(malformed - self._malformed):
            _log.warning("record.malformed", what=what, deployment=name)
        self._malformed = malformed
        return True

    def _read(self, queues: Iterable[str]) -> list[Any]:
        """The hashes, the parked jobs, then the depth of each queue at each priority step, in one round trip."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in ("health", "breakers", "checks", "permits", "claims"):
                pipeline.hgetall(f"{self._prefix}{name}")
            pipeline.smembers(f"{self._prefix}parked")
            for name in self._parked:
                pipeline.zcard(f"{self._prefix}parked:{name}")
            for queue in queues:
                for step in PRIORITY_STEPS:
                    # kombu's name for the list, as in the ledger's shared.lua.
                    pipeline.llen(f"{self._prefix}{queue}\x06\x16{step}" if step else f"{self._prefix}{queue}")
            return pipeline.execute()

    def _read_forever(self) -> None:
        import gevent  # noqa: PLC0415 - as above

        while True:
            self.refresh()
            gevent.sleep(self._interval_s)


def _readings(
    queues: Mapping[str, str], claims: Mapping[str, int], depths: Sequence[int], now: float
) -> dict[str, QueueReading]:
    """What was read of each provider's queue; `depths` come in the order of `queues`."""
    count = len(PRIORITY_STEPS)
    return {
        provider: QueueReading(tuple(depths[place * count : (place + 1) * count]), claims.get(queue, 0), now)
        for place, (provider, queue) in enumerate(queues.items())
    }


def _parsed(
    what: str, fields: dict[Any, Any], parse: Callable[[str], T | None], malformed: set[tuple[str, str]]
) -> dict[str, T]:
    """The fields that can be read; the names of the others are added to `malformed`."""
    known: dict[str, T] = {}
    for raw, value in fields.items():
        name, found = _text(raw), parse(_text(value))
        if found is None:
            malformed.add((what, name))
        else:
            known[name] = found
    return known


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
