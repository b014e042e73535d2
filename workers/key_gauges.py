"""What the keys of one account have left together, each as its own last answer told it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from routing.permits import Gauge

# Callers may name models no configuration lists; made-up names must not fill the memory.
_MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class _Told:
    """What one answer told, and when."""

    gauges: tuple[Gauge, ...]
    at: float


class KeyGauges:
    """Adds up limits: each key is taken to be of an account with limits of its own."""

    def __init__(self, keys: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        self._told: dict[str, dict[str, _Told]] = {}
        self._refused: set[str] = set()

    def refuse(self, key: str) -> None:
        """The key was refused: until it is answered again, it adds nothing to what the account may send."""
        self._refused.add(key)

    def note(self, deployment: str, key: str, gauges: tuple[Gauge, ...]) -> None:
        """Keep what an answer told of one key; nothing where it told nothing."""
        self._refused.discard(key)
        if not gauges:
            return
        if deployment not in self._told and len(self._told) >= _MOST_KNOWN:
            self._told.clear()
        self._told.setdefault(deployment, {})[key] = _Told(gauges, self._clock())

    def together(self, deployment: str) -> tuple[Gauge, ...]:
        """The account's gauges: sums over all keys but those that were refused.

        A limit is told only where it is known of each of them: until then more may be left than anybody knows.
        """
        told = self._told.get(deployment, {})
        counted = [key for key in self._keys if key not in self._refused]
        if not counted or not all(key in told for key in counted):
            return ()
        by_key = [{gauge.name: (gauge, told[key].at) for gauge in told[key].gauges} for key in counted]
        names = [name for name in by_key[0] if all(name in gauges for gauges in by_key)]
        return tuple(self._sum([gauges[name] for gauges in by_key]) for name in names)

    def _sum(self, parts: list[tuple[Gauge, float]]) -> Gauge:
        now = self._clock()
        left = 0.0
        for gauge, at in parts:
            # It refills evenly, and what was told a while ago is more by now.
            left += min(gauge.limit, gauge.remaining + (now - at) * 1000 * gauge.limit / gauge.period_ms)
        limit = sum(gauge.limit for gauge, _ in parts)
        return Gauge(parts[0][0].name, limit, int(left), max(gauge.period_ms for gauge, _ in parts))
