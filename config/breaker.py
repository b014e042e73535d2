"""When a circuit breaker opens, for how long, and how it closes again: policies/breaker.json."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """The settings of every breaker, in resilience4j's words. Rates are percent of the calls in the window."""

    failure_rate_threshold: float = 50.0
    # A call, good or not, that took longer than `slow_call_duration_threshold_ms` is slow.
    slow_call_rate_threshold: float = 100.0
    slow_call_duration_threshold_ms: float = 60_000.0
    sliding_window_s: float = 60.0
    # Fewer calls than this in the window say nothing.
    minimum_number_of_calls: int = 10
    # So many failures of a deployment in a row open its breaker, however many calls were good before.
    consecutive_failures_threshold: int = 10
    # The first wait; each opening without a closing in between waits longer, up to the maximum.
    wait_duration_in_open_state_s: float = 10.0
    exponential_backoff_multiplier: float = 2.0
    exponential_max_wait_duration_in_open_state_s: float = 300.0
    # How many probes decide whether it closes; no other call goes through meanwhile, whatever worker makes it.
    permitted_number_of_calls_in_half_open_state: int = 3
