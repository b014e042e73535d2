"""Reads the recorded health from Redis every second: routing's one module that does I/O."""

import time
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

from routing.health import Health, Snapshot

_log = structlog.get_logger(__name__)


class SnapshotReader:
    """Keeps `current` at most `interval_s` old. While Redis is away the last snapshot stays: routing fails open."""

    def __init__(self, redis_client: "Redis", key: str, interval_s: float = 1.0) -> None:
        self.current = Snapshot()
        self._redis = redis_client
        self._key = key
        self._interval_s = interval_s
        self._malformed: set[str] = set()
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
            fields: Any = self._redis.hgetall(self._key)
        except (RedisError, OSError) as error:
            if not self._away:
                _log.warning("health.unavailable", error=str(error))
            self._away = True
            return False
        self._away = False
        health = {_text(name): Health.parse(_text(value)) for name, value in fields.items()}
        self._report({name for name, found in health.items() if found is None})
        known = {name: found for name, found in health.items() if found is not None}
        self.current = Snapshot(known, taken_at=time.time())
        return True

    def _report(self, malformed: set[str]) -> None:
        for name in sorted(malformed - self._malformed):
            _log.warning("health.malformed", deployment=name)
        self._malformed = malformed

    def _read_forever(self) -> None:
        import gevent  # noqa: PLC0415 - as above

        while True:
            self.refresh()
            gevent.sleep(self._interval_s)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
