"""Circuit breakers on their way into the ledger's scripts and out of them: the settings' words, the changes' log."""

from functools import lru_cache

import structlog

from config.breaker import BreakerConfig

log = structlog.get_logger()


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
    )
    return " ".join(f"{number:.12g}" for number in numbers)


def report(changes: list[bytes]) -> None:
    """Log each change a step of the ledger made: name, from, to, ..."""
    for name, before, after in zip(changes[::3], changes[1::3], changes[2::3], strict=True):
        log.warning("breaker.changed", breaker=name.decode(), **{"from": before.decode(), "to": after.decode()})
