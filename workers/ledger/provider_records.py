"""What the ledger keeps of providers beside jobs: health, limits, circuit breakers and checks."""

import time
from collections.abc import Callable

from config.breaker import BreakerConfig
from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus
from routing.permits import Permits
from workers.ledger import breakers
from workers.ledger.record import Finding
from workers.ledger.steps import Steps

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
        idle = [
            name for name, value in self._steps.hash("health").items() if float(value.split()[-1]) < oldest_s * 1000
        ]
        if idle:
            self._steps.command("HDEL", f"{self._steps.prefix}health", *idle)
        unused = [name for name, found in self.permits().items() if found.idle_since(oldest_s)]
        if unused:
            self._steps.command("HDEL", f"{self._steps.prefix}permits", *unused)
        still = [name for name, found in self.breakers().items() if found.idle_since(oldest_s)]
        if still:
            self._steps.command("HDEL", f"{self._steps.prefix}breakers", *still)
        checks = {name: Check.parse(text.decode(errors="replace")) for name, text in self._steps.hash("checks").items()}
        past = [name for name, check in checks.items() if check is None or check.at_s < oldest_s]
        if past:
            self._steps.command("HDEL", f"{self._steps.prefix}checks", *past)
        return len(idle) + len(unused) + len(still) + len(past)

    def breakers(self) -> dict[str, Breaker]:
        """Every circuit breaker by name; one whose text cannot be read is left out."""
        read = {name.decode(): Breaker.parse(text.decode()) for name, text in self._steps.hash("breakers").items()}
        return {name: found for name, found in read.items() if found is not None}

    def permits(self) -> dict[str, Permits]:
        """What is known of limits, by account or deployment; a record that cannot be read is left out."""
        read = {name.decode(): Permits.parse(text.decode()) for name, text in self._steps.hash("permits").items()}
        return {name: found for name, found in read.items() if found is not None}

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

    def _check_turn(self, account: str) -> str:
        return f"{self._steps.prefix}check_turn:{account}"
