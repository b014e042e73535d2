"""How many calls beyond the first tries a provider may get: policies/retry.json."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """The settings of every retry budget. Each worker process keeps one per provider."""

    # Retries in place, in percent of the first tries within the window.
    budget_percent: float = 10.0
    # So many more within the window, so that a lone request that fails is tried again.
    budget_reserve: int = 3
    # First tries and retries older than this no longer count.
    budget_window_s: float = 10.0
