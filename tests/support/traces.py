"""Traces as a ledger could have exported them, made up from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from config.provider import Price
from routing.asked import Asked
from routing.catalogue import Deployment
from routing.job import AttemptStatus, JobStatus, ServiceTier, Usage
from routing.plan import Candidate
from routing.prices import cost_microusd
from routing.trace import TracedAttempt, TracedJob

START = 1_700_000_000.0


@dataclass(frozen=True)
class Site:
    """A provider as the trace's time knew it. `down` is from when to when it fails, in seconds of the trace."""

    price: str = "1"
    ms: float = 100.0
    failures: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)
    # How often it is chosen first.
    weight: float = 1.0

    def fails(self, at_s: float, rng: Random) -> bool:
        return self.down[0] <= at_s < self.down[1] or rng.random() < self.failures

    def deployment(self, name: str) -> Deployment:
        rate = Decimal(self.price)
        return Deployment(name, "m", Price(rate, rate), 100_000)


def jobs(sites: Mapping[str, Site], number: int, *, seed: int = 1, gap_s: float = 0.5) -> Iterator[TracedJob]:
    """`number` jobs, one every `gap_s`, that went to the sites by weight and failed over to the others."""
    rng = Random(seed)
    for index in range(number):
        order = list(sites)
        first = rng.choices(order, [site.weight for site in sites.values()])[0]
        order.remove(first)
        yield job(sites, [first, *order], index, index * gap_s, rng)


def job(sites: Mapping[str, Site], order: Sequence[str], index: int, at_s: float, rng: Random) -> TracedJob:
    """One job that tries the sites in this order until one answers."""
    attempts, now = [], START + at_s
    usage = Usage(rng.randint(5, 50), rng.randint(20, 200))
    for name in order:
        site = sites[name]
        failed = site.fails(at_s, rng)
        ms = round(site.ms * rng.uniform(0.8, 1.2), 1)
        attempts.append(
            TracedAttempt(
                name,
                "m",
                AttemptStatus.FAILED if failed else AttemptStatus.COMPLETED,
                now,
                ms,
                "provider_failed" if failed else None,
                None if failed else cost_microusd(site.deployment(name).price, usage),
            )
        )
        now += ms / 1000
        if not failed:
            break
    completed = attempts[-1].status is AttemptStatus.COMPLETED
    return TracedJob(
        id=f"job_{index}",
        created_at=START + at_s,
        status=JobStatus.COMPLETED if completed else JobStatus.FAILED,
        tenant="t",
        tier=ServiceTier.DEFAULT,
        model="any",
        policy="balanced",
        deadline_s=60.0,
        candidates=tuple(Candidate(sites[name].deployment(name), 1.0) for name in order),
        attempts=tuple(attempts),
        asked=Asked(usage.prompt_tokens, 200),
        usage=usage if completed else None,
    )
