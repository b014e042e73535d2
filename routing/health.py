"""What the recorded attempts say of a deployment, as sums that fade. Written by the ledger, read here; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from routing import speed
from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus
from routing.job import PRIORITY_STEPS
from routing.permits import Permits, longest_wait_s
from routing.speed import Speed

# Evidence of uptime counts half after this long. The ledger's script, which writes it, uses the same.
HALF_LIFE_S = 300.0
# No more calls than this are remembered, so that an outage shows at once however many were good before.
MOST_CALLS = 100.0
# So many failures in a row were an outage. When a good call ends it, it counts as one failure.
OUTAGE = 5
# Every deployment is taken to have had this many good calls: an unknown one is trusted, and one failure is not the end.
PRIOR_CALLS = 10.0
# A record as it was before speed was a line: what it says of latency is not read.
_OLD_FORM = 6


@dataclass(frozen=True, slots=True)
class Health:
    """Decayed evidence of one deployment, as of its last attempt, `last_s` (Unix seconds)."""

    calls: float = 0.0
    successes: float = 0.0
    consecutive_failures: int = 0
    last_s: float = 0.0
    speed: Speed = speed.UNKNOWN

    @classmethod
    def parse(cls, text: str) -> "Health | None":
        """A field of the ledger's health hash; None where it is malformed.

        The form is `calls successes consecutive_failures`, the speed's `n x xx y yy xy last_ms`, and `last_ms`,
        separated by blanks. An older form, `calls successes _ _ consecutive_failures last_ms`, has an unknown speed.
        """
        try:
            numbers = tuple(map(float, text.split()))
        except ValueError:
            return None
        if len(numbers) == _OLD_FORM:
            numbers = (*numbers[:2], numbers[4], *(0.0,) * 7, numbers[5])
        line = speed.parse(numbers[3:-1])
        if line is None or not all(isfinite(number) and number >= 0 for number in numbers):
            return None
        calls, successes, failures = numbers[:3]
        return cls(calls, min(successes, calls), int(failures), numbers[-1] / 1000, line)

    def after(self, succeeded: bool, duration_ms: float, completion_tokens: float, now: float) -> "Health":  # noqa: FBT001 - as in the ledger's words
        """With one attempt more, at `now` (Unix seconds): the same as evidence.lua, which writes what this reads.

        `completion_tokens` counts only where it succeeded; 0 there: not known.
        """
        kept = self._kept(now)
        calls, successes = self.calls * kept, self.successes * kept
        if succeeded and self.consecutive_failures >= OUTAGE:
            calls -= min(self.consecutive_failures - 1, max(calls - successes - 1, 0.0))
        calls, successes = calls + 1, successes + succeeded
        scale = min(1.0, MOST_CALLS / calls)
        calls, successes = calls * scale, successes * scale
        if not succeeded:
            return Health(calls, successes, self.consecutive_failures + 1, now, self.speed)
        return Health(calls, successes, 0, now, self.speed.after(duration_ms, completion_tokens, now))

    def after_cut(self, duration_ms: float, now: float) -> "Health":
        """With one call that was cut short after `duration_ms`: another had answered. As evidence.lua does.

        It took at least so long. Where that is longer than the usual answer it counts as one of that length, so that
        one who is always overtaken does not look fast; it says nothing of uptime.
        """
        if not self.speed.known or duration_ms <= self.speed.mean_ms:
            return self
        return replace(self, speed=self.speed.after(duration_ms, 0, now))

    def uptime(self, now: float) -> float:
        """The share of calls that succeeded, 0..1, with the prior's good calls among them: 1 where nothing is known."""
        kept = self._kept(now)
        return (self.successes * kept + PRIOR_CALLS) / (self.calls * kept + PRIOR_CALLS)

    def evidence(self, now: float) -> float:
        """How many calls, faded, the uptime rests on."""
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
    # By provider, the waits in its queue in ms by priority step; as a rule none.
    waits_ms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    # The last check of each account.
    checks: Mapping[str, Check] = field(default_factory=dict)
    # What is known of limits, by account and deployment; and how many jobs wait for a permit, by deployment.
    permits: Mapping[str, Permits] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
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

    def wait_ms(self, provider: str, priority: int) -> float:
        """How long a job of this priority step would wait in the provider's queue, in ms; 0 where nobody waits."""
        waits = self.waits_ms.get(provider)
        return 0.0 if waits is None else waits[PRIORITY_STEPS.index(priority)]

    def permit_wait_ms(self, provider: str, model: str, needed: Mapping[str, float], now: float) -> float:
        """How long a job that takes `needed` would wait for its permits, in ms, after those that wait already."""
        deployment = f"{provider}/{model}"
        scopes = (self.permits.get(provider), self.permits.get(deployment))
        return 1000 * longest_wait_s(scopes, now, needed, self.parked.get(deployment, 0))


def _ailing(checks: Mapping[str, Check], health: Mapping[str, Health]) -> frozenset[str]:
    bad = {name: check for name, check in checks.items() if check.status is not CheckStatus.OK}
    if bad:
        for name, record in health.items():
            account = name.partition("/")[0]
            if account in bad and record.consecutive_failures == 0 and record.last_s > bad[account].at_s:
                del bad[account]
    return frozenset(bad)
