"""One process's retry budgets, one for each provider it calls."""

import time
from collections.abc import Callable

from config.retry import RetryConfig
from routing.retry_budget import RetryBudget


class RetryBudgets:
    """Budgets by provider name, made on first use and again when the settings have changed."""

    def __init__(self, config: Callable[[], RetryConfig]) -> None:
        self._config = config
        self._made: dict[str, RetryBudget] = {}

    def begun(self, provider: str, *, again: bool) -> None:
        """A run begins to call `provider`; `again`: for a job that was put off because there was no budget."""
        budget = self._of(provider)
        if again:
            budget.withdraw(time.monotonic())
        else:
            budget.deposit(time.monotonic())

    def allows(self, provider: str) -> bool:
        """Whether `provider` may be called once more now."""
        return self._of(provider).allows(time.monotonic())

    def withdraw(self, provider: str) -> None:
        """`provider` is called once more."""
        self._of(provider).withdraw(time.monotonic())

    def refund(self, provider: str) -> None:
        """What was taken out for one more call of `provider` was not used."""
        self._of(provider).refund(time.monotonic())

    def _of(self, provider: str) -> RetryBudget:
        config = self._config()
        budget = self._made.get(provider)
        if budget is None or budget.config != config:
            budget = self._made[provider] = RetryBudget(config)
        return budget
