"""What the ledger keeps of providers beside jobs: health, limits, circuit breakers and checks."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from config.breaker import BreakerConfig
from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus
from routing.permits import Permits
from workers.ledger import breakers
from workers.ledger.record import Finding
from workers.ledger.steps import Steps

T = TypeVar("T")

# After a day without a call a deployment's record says nothing any more (its half-life is minutes).
HEALTH_TTL_S = 86_400.0


class ProviderRecords:
    """Reads them, and takes the few steps that are no part of a job's."""

    def __init__(self, steps: Steps, breaker: Callable[[], BreakerConfig]) -> None:
        self._steps = steps
        self._breaker = breaker

    def forget_idle_deployments(self) -> int:
        """Drop health records, limits, breakers and checks that nobody has added to for HEALTH_TTL_S; returns how many.

        A breaker the operator has forced stays.
        """
        oldest_s = time.time() - HEALTH_TTL_S
        health = self._steps.hash("health")
        checks = {name: Check.parse(text.decode(errors="replace")) for name, text in self._steps.hash("checks").items()}
        idle: dict[str, list[Any]] = {
            "health": [name for name, text in health.items() if float(text.split()[-1]) < oldest_s * 1000],
            "permits": [name for name, found in self.permits().items() if found.idle_since(oldest_s)],
            "breakers": [name for name, found in self.breakers().items() if found.idle_since(oldest_s)],
            "checks": [name for name, check in checks.items() if check is None or check.at_s < oldest_s],
        }
        for kind, names in idle.items():
            if names:
                self._steps.command("HDEL", f"{self._steps.prefix}{kind}", *names)
        return sum(map(len, idle.values()))

    def breakers(self) -> dict[str, Breaker]:
        """Every circuit breaker by name; one whose text cannot be read is left out."""
        return self._read("breakers", Breaker.parse)

    def permits(self) -> dict[str, Permits]:
        """What is known of limits, by account or deployment; a record that cannot be read is left out."""
        return self._read("permits", Permits.parse)

    def switch_breaker(self, name: str, to: BreakerState) -> bool:
        """Force a breaker open or closed, or (CLOSED) let it decide again, from nothing; whether it changed."""
        return bool(self._steps.run("switch", name, to.value))

    def take_check_turn(self, account: str, interval_s: float) -> bool:
        """Whether this process is the one to check an account now; nobody else is for `interval_s`."""
        milliseconds = max(int(interval_s * 1000), 1)
        return self._steps.command("SET", self._check_turn(account), "1", "NX", "PX", milliseconds) is not None

    def record_check(self, account: str, found: Finding, next_s: float) -> CheckStatus | None:
        """Keep what a check found, and let the account's open breakers know; the next one is due after `next_s`.

        Returns how the check before it ended; None where there was none.
        """
        before = self._steps.run(
            "check",
            account,
            found.status.value,
            found.latency_ms,
            found.error,
            max(int(next_s * 1000), 1),
            self._check_turn(account),
            breakers.words(self._breaker()),
        )
        return CheckStatus(before.decode()) if before else None

    def _read(self, kind: str, parse: Callable[[str], T | None]) -> dict[str, T]:
        read = {name.decode(): parse(text.decode()) for name, text in self._steps.hash(kind).items()}
        return {name: found for name, found in read.items() if found is not None}

    def _check_turn(self, account: str) -> str:
        return f"{self._steps.prefix}check_turn:{account}"
