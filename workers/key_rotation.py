"""The keys of one provider account, used in turn; one that the provider refused rests, in this process."""

import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from routing.errors import KeyRefused, ProviderError, ProviderRateLimited

log = structlog.get_logger()

# How long a key rests that was refused (401, 402, 403): it may be mended at the vendor.
REFUSED_S = 300.0
# How long one that has reached its limit rests, where the provider does not say, and at least.
_UNKNOWN_S, _LEAST_S = 1.0, 0.25
# A right may be missing for one model; vendors limit each model by itself, too. What else is refused is the key.
_OF_THE_MODEL = 403
# Callers may name models no configuration lists; made-up names must not fill the memory.
_MOST_KNOWN = 1_000


class _Named(Protocol):
    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=_Named)


class KeyRotation(Generic[T]):
    """Which of an account's keys a call is made with. A single key never rests: what it meets is what there is."""

    def __init__(self, provider: str, keys: Sequence[T], clock: Callable[[], float] = time.monotonic) -> None:
        """`keys` have a name each, and there is one at least."""
        self.keys = tuple(keys)
        self._provider = provider
        self._clock = clock
        self._next = 0
        # Until when (key, model) rests, as the clock tells; '' for every model.
        self._limited: dict[tuple[str, str], float] = {}
        self._refused: dict[tuple[str, str], float] = {}

    @property
    def first(self) -> T:
        """One of them, for what is the same with every key."""
        return self.keys[0]

    def turn(self, model: str) -> tuple[T, ...]:
        """The keys for one call, to be tried in this order: those that do not rest, each call beginning with another.

        Where all rest it is the one that will be back first, so that a key which was mended is found out.
        """
        if len(self.keys) == 1:
            return self.keys
        start, self._next = self._next, (self._next + 1) % len(self.keys)
        ordered = (*self.keys[start:], *self.keys[:start])
        now = self._clock()
        awake = tuple(key for key in ordered if self._back_at(key.key, model) <= now)
        return awake or (min(ordered, key=lambda key: self._back_at(key.key, model)),)

    def settles(self, key: T, model: str, result: object) -> bool:
        """Whether `result` is the call's outcome; False: `key` was refused and rests, and another may be tried."""
        if len(self.keys) == 1:
            return True
        if isinstance(result, KeyRefused):
            scope = model if result.upstream_status == _OF_THE_MODEL else ""
            self._rest(self._refused, (key.key, scope), result, REFUSED_S)
            return False
        if isinstance(result, ProviderRateLimited):
            wait_s = _UNKNOWN_S if result.retry_after_s is None else max(result.retry_after_s, _LEAST_S)
            self._rest(self._limited, (key.key, model), result, wait_s)
            return False
        if not isinstance(result, ProviderError):
            for scope in ("", model):
                self._refused.pop((key.key, scope), None)
        return True

    def room_in_s(self, model: str) -> float | None:
        """Seconds until the first key that only a limit keeps back may be used; None where there is no such key."""
        now = self._clock()
        names = [key.key for key in self.keys if self._refused_until(key.key, model) <= now]
        waits = [self._limited[name, model] - now for name in names if (name, model) in self._limited]
        return max(min(waits), 0.0) if waits else None

    def _refused_until(self, name: str, model: str) -> float:
        return max(self._refused.get((name, ""), 0.0), self._refused.get((name, model), 0.0))

    def _back_at(self, name: str, model: str) -> float:
        return max(self._limited.get((name, model), 0.0), self._refused_until(name, model))

    def _rest(
        self, resting: dict[tuple[str, str], float], scope: tuple[str, str], error: ProviderError, wait_s: float
    ) -> None:
        now = self._clock()
        rested = resting.get(scope, 0.0) > now
        if scope not in resting and len(resting) >= _MOST_KNOWN:
            resting.clear()
        resting[scope] = now + wait_s
        if rested:
            return
        tell = log.warning if resting is self._refused else log.info
        name, model = scope
        tell(
            "provider.key_rests",
            provider=self._provider,
            key=name,
            model=model or None,
            status=error.upstream_status,
            rests_s=round(wait_s, 3),
        )
