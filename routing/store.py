"""Reads the recorded health, breakers and checks from Redis every second: routing's one module that does I/O."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

from routing.breaker import Breaker
from routing.check import Check
from routing.health import Health, Snapshot

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class SnapshotReader:
    """Keeps `current` at most `interval_s` old. While Redis is away the last snapshot stays: routing fails open.

    `prefix` is that of all keys: the hashes read are `{prefix}health`, `{prefix}breakers` and `{prefix}checks`.
    """

    def __init__(self, redis_client: "Redis", prefix: str, interval_s: float = 1.0) -> None:
        self.current = Snapshot()
        self._redis = redis_client
        self._prefix = prefix
        self._interval_s = interval_s
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
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.hgetall(f"{self._prefix}health")
                pipeline.hgetall(f"{self._prefix}breakers")
                pipeline.hgetall(f"{self._prefix}checks")
                health, breakers, checks = pipeline.execute()
        except (RedisError, OSError) as error:
            if not self._away:
                _log.warning("health.unavailable", error=str(error))
            self._away = True
            return False
        self._away = False
        malformed: set[tuple[str, str]] = set()
        self.current = Snapshot(
            _parsed("health", health, Health.parse, malformed),
            time.time(),
            _parsed("breaker", breakers, Breaker.parse, malformed),
            checks=_parsed("check", checks, Check.parse, malformed),
        )
        for what, name in sorted(malformed - self._malformed):
            _log.warning(f"{what}.malformed", deployment=name)
        self._malformed = malformed
        return True

    def _read_forever(self) -> None:
        import gevent  # noqa: PLC0415 - as above

        while True:
            self.refresh()
            gevent.sleep(self._interval_s)


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
