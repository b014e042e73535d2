"""LiteLLM's default strategy, simulated: a random pick among those that do not cool down, and two retries.

Its defaults, as read in its sources and documentation (docs.litellm.ai/docs/router/learn/reliability and
.../router/api_reference/configuration, of 5 November 2026; litellm/router_utils/cooldown_handlers.py):
- `routing_strategy` simple-shuffle: a uniform pick where no deployment has a weight, rpm or tpm, as here.
- `num_retries` 2 (`openai.DEFAULT_MAX_RETRIES`). A retry picks again in the same group, without those that failed
  this request; it waits for nothing while a healthy deployment is left, and is not made where none is.
- A deployment cools down for 5 s (`DEFAULT_COOLDOWN_TIME_SECONDS`) after a 401, 404, 408 or 429, and if over 50 % of
  at least 5 calls of the running minute failed (`DEFAULT_FAILURE_THRESHOLD_PERCENT`, `..._MINIMUM_REQUESTS`). A failed
  connection (`APIConnectionError`) and other 4xx never cool one down. `allowed_fails` (3) counts only where it was set.
- When all cool down, a request fails at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.routing.answer import Outcome
from benchmarks.routing.strategy import Call, answered, unanswered

NUM_RETRIES = 2
COOLDOWN_S = 5.0
_FAILED_SHARE = 0.5
_LEAST_CALLS = 5
_COOLS_AT_ONCE = frozenset({401, 404, 408, 429})


class Cooldowns:
    """Who is left alone, and the counts of the running minute that decide on it. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._minute = -1
        self._calls: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def cooling(self, provider: str, now: float) -> bool:
        """Whether the provider is left alone at `now`."""
        return now < self._until.get(provider, 0.0)

    def succeeded(self, provider: str, now: float) -> None:
        """Count a good call."""
        self._turn(now)
        self._calls[provider] += 1

    def failed(self, provider: str, status: int, now: float) -> None:
        """Count a failed call with its HTTP status (0: the connection failed), and let the provider cool if it must."""
        self._turn(now)
        self._calls[provider] += 1
        self._failures[provider] += 1
        if status == 0 or (400 <= status < 500 and status not in _COOLS_AT_ONCE):
            return
        often = self._failures[provider] > _FAILED_SHARE * self._calls[provider]
        if status in _COOLS_AT_ONCE or (often and self._calls[provider] >= _LEAST_CALLS):
            self._until[provider] = now + COOLDOWN_S

    def _turn(self, now: float) -> None:
        """Begin a new minute's counts where one has begun."""
        if (minute := int(now // 60)) != self._minute:
            self._minute = minute
            self._calls.clear()
            self._failures.clear()


class Shuffle:
    """LiteLLM's Router with its defaults."""

    def __init__(
        self, call: Call, providers: Sequence[str], rng: Random, clock: Callable[[], float] = time.time
    ) -> None:
        self._call = call
        self._providers = tuple(providers)
        self._rng = rng
        self._clock = clock
        self._cooldowns = Cooldowns()

    def send(self, number: int, second: float) -> Outcome:  # noqa: ARG002 - it knows no timeline
        """Up to three calls, each to a random provider that neither cools down nor failed this request."""
        failed: list[str] = []
        problem = "nobody was left to call"
        while len(failed) <= NUM_RETRIES:
            provider = self._pick(failed)
            if provider is None:
                break
            reply = self._call(provider, number)
            if reply.good:
                self._cooldowns.succeeded(provider, self._clock())
                return answered(provider, reply, len(failed) + 1)
            self._cooldowns.failed(provider, reply.status, self._clock())
            failed.append(provider)
            problem = f"{reply.status} of the last one"
        return unanswered(len(failed), problem)

    def _pick(self, failed: Sequence[str]) -> str | None:
        now = self._clock()
        healthy = [name for name in self._providers if not self._cooldowns.cooling(name, now)]
        untried = [name for name in healthy if name not in failed]
        return self._rng.choice(untried or healthy) if healthy else None
