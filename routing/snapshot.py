"""All that is known of providers at one moment, as plans are made with it. Read by store.py; no I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus
from routing.health import UNKNOWN, Health
from routing.job import PRIORITY_STEPS
from routing.permits import Permits, longest_wait_s


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

    def ails(self, provider: str, *, own_key: bool) -> bool:
        """Whether the last check of the account was not good; that its key was refused is nothing to an `own_key`."""
        if provider not in self.ailing:
            return False
        return not own_key or self.checks[provider].status is not CheckStatus.MISCONFIGURED

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
