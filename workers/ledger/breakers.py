"""Circuit breakers on their way into the ledger's scripts and out of them: the settings' words, the changes' log."""

import time
from functools import lru_cache

import structlog

from config.breaker import BreakerConfig
from routing.breaker import BreakerState

log = structlog.get_logger()

# Callers make up names; what is forgotten is only a hint.
_MOST_SIGHTINGS = 1000


@lru_cache(maxsize=8)
def words(config: BreakerConfig) -> str:
    """The settings as breaker.lua reads them; times in ms."""
    numbers = (
        # First what is read at every call.
        config.slow_call_duration_threshold_ms,
        config.sliding_window_s * 1000,
        config.failure_rate_threshold,
        config.slow_call_rate_threshold,
        config.minimum_number_of_calls,
        config.wait_duration_in_open_state_s * 1000,
        config.exponential_backoff_multiplier,
        config.exponential_max_wait_duration_in_open_state_s * 1000,
        config.permitted_number_of_calls_in_half_open_state,
        config.consecutive_failures_threshold,
    )
    return " ".join(f"{number:.12g}" for number in numbers)


class Sightings:
    """When this process last saw a breaker shut. Other processes change them as well: it is a hint, never the truth."""

    def __init__(self) -> None:
        self._shut: dict[str, float] = {}

    def report(self, changes: list[bytes]) -> None:
        """Note and log each change a step of the ledger made: name, from, to, ..."""
        for name, before, after in zip(*(map(bytes.decode, changes[place::3]) for place in range(3)), strict=True):
            log.warning("breaker.changed", breaker=name, **{"from": before, "to": after})
            if BreakerState(after) is BreakerState.OPEN:
                self.note(name)
            elif BreakerState(after) is BreakerState.CLOSED:
                # Half open, only probes may call.
                self._shut.pop(name, None)

    def note(self, name: str) -> None:
        """A call to `name` was forbidden just now."""
        if len(self._shut) >= _MOST_SIGHTINGS:
            self._shut.clear()
        self._shut[name] = time.monotonic()

    def saw_shut(self, deployment: str, since: float) -> bool:
        """Whether the breaker of a deployment or of its account was seen shut after `since` (monotonic seconds)."""
        names = (deployment, deployment.partition("/")[0])
        return any(self._shut.get(name, since) > since for name in names)
