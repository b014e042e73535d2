"""Plans a traced job again, by another policy: the real planner over who could serve the job when it was planned."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import TypeVar

from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.asked import Asked
from routing.catalogue import Catalogue, Deployment
from routing.plan import Plan
from routing.planner import plan
from routing.snapshot import Snapshot
from routing.tier import place_of_model
from routing.trace import TracedJob

T = TypeVar("T")

# So many kinds of job are remembered with their catalogue or tenant.
_MOST_KEPT = 4096


class Replanner:
    """Plans jobs by `policy`. Candidates and prices are those of the job's own plan, and those it passed over."""

    def __init__(
        self, policy: PolicyConfig, tenants: Mapping[str, Tenant], deployments: Mapping[str, Deployment]
    ) -> None:
        """`deployments` are those of the trace by id: who was passed over is priced as elsewhere in it."""
        self._policy = policy
        self._tenants = tenants
        self._deployments = deployments
        self._catalogues: dict[tuple[object, ...], Catalogue] = {}
        self._callers: dict[tuple[object, ...], Tenant] = {}

    def plan(self, job: TracedJob, snapshot: Snapshot, now: float, rng: Random) -> Plan:
        """The plan of `job` at `now`; raises NoCandidates where its figures contradict its own plan."""
        request = asked(job).request(job.model, job.tier.priority)
        catalogue = self._catalogue(job, request.wanted)
        return plan(request, self._caller(job, catalogue), self._policy, catalogue, snapshot, now, rng)

    def _catalogue(self, job: TracedJob, wanted: tuple[str, ...]) -> Catalogue:
        """One in which the models that were asked for are the candidates of the recorded plan, each in its place."""
        last = len(wanted) - 1
        rows = [(candidate.deployment, min(place_of_model(candidate.tier), last)) for candidate in job.candidates]
        # Where a plan says nothing of the place, it is the first.
        rows += [(self._passed_over(left.provider, left.model), 0) for left in job.passed_over]
        key = (wanted, *rows)
        found = self._catalogues.get(key)
        if found is None:
            aliases = {
                model: tuple(deployment for deployment, place in rows if place == index)
                for index, model in enumerate(wanted)
            }
            found = _kept(self._catalogues, key, Catalogue({}, {row.id: row for row, _ in rows}, aliases))
        return found

    def _passed_over(self, provider: str, model: str) -> Deployment:
        found = self._deployments.get(f"{provider}/{model}")
        return Deployment(provider, model) if found is None else found

    def _caller(self, job: TracedJob, catalogue: Catalogue) -> Tenant:
        """The tenant as it is configured now, or one without wishes; it may use whom the job could be served by."""
        providers = frozenset(deployment.provider for deployment in catalogue.deployments.values())
        key = (job.tenant, providers, job.circuit_breaker)
        found = self._callers.get(key)
        if found is None:
            tenant = self._tenants.get(job.tenant) or Tenant(job.tenant)
            features = replace(tenant.features, circuit_breaker=job.circuit_breaker)
            found = _kept(self._callers, key, replace(tenant, providers=providers, features=features))
        return found


def asked(job: TracedJob) -> Asked:
    """What was asked; where it was not recorded, a prompt as long as the answer's usage says, else of no length."""
    if job.asked is not None:
        return job.asked
    return Asked(0 if job.usage is None else job.usage.prompt_tokens)


def _kept(kept: dict[tuple[object, ...], T], key: tuple[object, ...], value: T) -> T:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value
