"""What the recorded attempts say of a deployment, as sums that fade. Written by the ledger, read here; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus

# Evidence counts half after this long. The ledger's script, which writes it, uses the same.
HALF_LIFE_S = 300.0
# Every deployment is taken to have had this many good calls: an unknown one is trusted, and one failure is not the end.
PRIOR_CALLS = 10.0
# A latency that rests on less than this many calls, faded, is no longer known.
_LEAST_LATENCY_CALLS = 0.1


@dataclass(frozen=True, slots=True)
class Health:
    """Decayed evidence of one deployment, as of `last_s` (Unix seconds). Latency is of successful calls only."""

    calls: float = 0.0
    successes: float = 0.0
    latency_ms_sum: float = 0.0
    latency_calls: float = 0.0
    consecutive_failures: int = 0
    last_s: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Health | None":
        """A field of the ledger's health hash; None where it is malformed.

        The form is `calls successes latency_ms_sum latency_calls consecutive_failures last_ms`, separated by blanks.
        """
        try:
            calls, successes, latency, latency_calls, failures, last_ms = map(float, text.split())
        except ValueError:
            return None
        numbers = (calls, successes, latency, latency_calls, failures, last_ms)
        if not all(isfinite(number) and number >= 0 for number in numbers):
            return None
        return cls(calls, min(successes, calls), latency, latency_calls, int(failures), last_ms / 1000)

    def uptime(self, now: float) -> float:
        """The share of calls that succeeded, 0..1, with the prior's good calls among them: 1 where nothing is known."""
        kept = self._kept(now)
        return (self.successes * kept + PRIOR_CALLS) / (self.calls * kept + PRIOR_CALLS)

    def latency_ms(self, now: float) -> float | None:
        """The mean latency of successful calls in ms, recent ones counting more; None where too little is known."""
        if self.latency_calls * self._kept(now) < _LEAST_LATENCY_CALLS:
            return None
        return self.latency_ms_sum / self.latency_calls

    def evidence(self, now: float) -> float:
        """How many calls, faded, all this rests on."""
        return self.calls * self._kept(now)

    def _kept(self, now: float) -> float:
        # A clock behind the writer's makes nothing younger than new.
        age_s = now - self.last_s
        return 1.0 if age_s <= 0 else 0.5 ** (age_s / HALF_LIFE_S)


UNKNOWN = Health()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The recorded health of deployments and circuit breakers, by name, as it stood at `taken_at` (Unix seconds)."""

    health: Mapping[str, Health] = field(default_factory=dict)
    taken_at: float = 0.0
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    # The last check of each account.
    checks: Mapping[str, Check] = field(default_factory=dict)
    # Those of `breakers` that are not closed: as a rule none, which is all a plan then looks at.
    tripped: Mapping[str, Breaker] = field(init=False, compare=False, repr=False)
    # Accounts whose last check was not good, and of which no call was good since: as a rule none.
    ailing: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        tripped = {name: found for name, found in self.breakers.items() if found.state is not BreakerState.CLOSED}
        object.__setattr__(self, "tripped", tripped)
        object.__setattr__(self, "ailing", _ailing(self.checks, self.health))

    def of(self, deployment_id: str) -> Health:
        """A deployment's health; UNKNOWN where nothing was recorded."""
        return self.health.get(deployment_id, UNKNOWN)


def _ailing(checks: Mapping[str, Check], health: Mapping[str, Health]) -> frozenset[str]:
    bad = {name: check for name, check in checks.items() if check.status is not CheckStatus.OK}
    if bad:
        for name, record in health.items():
            account = name.partition("/")[0]
            if account in bad and record.consecutive_failures == 0 and record.last_s > bad[account].at_s:
                del bad[account]
    return frozenset(bad)
