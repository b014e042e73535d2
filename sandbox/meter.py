"""Enforces limits as the vendors do: a bucket per limit that refills evenly. No HTTP, no clock of its own."""

import math
from dataclasses import dataclass

from sandbox.behaviour import Limits

_MINUTE_S = 60.0
_DAY_S = 86_400.0
# Nobody knows when a running call ends; vendors say a moment.
_CONCURRENCY_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """What limits are counted for."""

    provider: str
    key: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """A limit as its headers tell it: what is left, and the seconds until it is full again."""

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Gauges:
    """The gauges of the limits that are set."""

    requests_per_minute: Gauge | None = None
    requests_per_day: Gauge | None = None
    tokens_per_minute: Gauge | None = None


NO_GAUGES = Gauges()


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Why a call is refused: the limit, what it stands at, and when the same call would be let in."""

    limit_name: str
    limit: int
    used: int
    requested: int
    retry_after_s: float
    gauges: Gauges


class _Bucket:
    """Holds up to `limit`, refills evenly over `period_s`."""

    __slots__ = ("_at", "_level", "limit", "period_s")

    def __init__(self, limit: int, period_s: float, now: float) -> None:
        self.limit = limit
        self.period_s = period_s
        self._level = float(limit)
        self._at = now

    def level(self, now: float) -> float:
        self._level = min(float(self.limit), self._level + (now - self._at) * self.limit / self.period_s)
        self._at = now
        return self._level

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds until `amount` is there; more than the bucket holds waits for a full one."""
        missing = min(amount, self.limit) - self.level(now)
        # A billionth forgives what adding up many small refills loses.
        return 0.0 if missing <= 1e-9 else missing * self.period_s / self.limit

    def take(self, amount: int) -> None:
        self._level = max(0.0, self._level - amount)

    def gauge(self, now: float) -> Gauge:
        level = self.level(now)
        return Gauge(self.limit, math.floor(level + 1e-9), (self.limit - level) * self.period_s / self.limit)


_PERIODS = {"requests_per_minute": _MINUTE_S, "requests_per_day": _DAY_S, "tokens_per_minute": _MINUTE_S}


class Meter:
    """The buckets and running calls of every account."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[Account, str], _Bucket] = {}
        self._running: dict[Account, int] = {}

    def admit(self, account: Account, limits: Limits, tokens: int, now: float) -> Gauges | Exceeded:
        """Let a call of `tokens` in and charge it, or say why not; nothing is charged then. Pair with `release`."""
        buckets = {name: self._bucket(account, name, limits, now) for name in _PERIODS}
        running = self._running.get(account, 0)
        if limits.concurrency is not None and running >= limits.concurrency:
            gauges = _gauges(buckets, now)
            return Exceeded("concurrency", limits.concurrency, running, 1, _CONCURRENCY_RETRY_S, gauges)
        amounts = {"requests_per_minute": 1, "requests_per_day": 1, "tokens_per_minute": tokens}
        waits = {name: b.wait_s(amounts[name], now) for name, b in buckets.items() if b is not None}
        worst = max(waits, key=lambda name: waits[name], default=None)
        if worst is not None and waits[worst] > 0:
            gauges = _gauges(buckets, now)
            gauge = getattr(gauges, worst)
            used = gauge.limit - gauge.remaining
            return Exceeded(worst, gauge.limit, used, amounts[worst], waits[worst], gauges)
        for name, bucket in buckets.items():
            if bucket is not None:
                bucket.take(amounts[name])
        self._running[account] = running + 1
        return _gauges(buckets, now)

    def release(self, account: Account) -> None:
        """A call that was let in has ended."""
        left = self._running.get(account, 0) - 1
        if left > 0:
            self._running[account] = left
        else:
            self._running.pop(account, None)

    def refill(self, provider: str | None = None) -> None:
        """Fill the buckets of one provider, or all; calls under way still count as running."""
        self._buckets = {key: b for key, b in self._buckets.items() if provider not in (None, key[0].provider)}

    def _bucket(self, account: Account, name: str, limits: Limits, now: float) -> _Bucket | None:
        limit: int | None = getattr(limits, name)
        if limit is None:
            return None
        bucket = self._buckets.get((account, name))
        if bucket is None or bucket.limit != limit:
            bucket = self._buckets[account, name] = _Bucket(limit, _PERIODS[name], now)
        return bucket


def _gauges(buckets: dict[str, _Bucket | None], now: float) -> Gauges:
    return Gauges(**{name: bucket.gauge(now) for name, bucket in buckets.items() if bucket is not None})
