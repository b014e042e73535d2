"""Makes jobs of a batch's lines: each is planned when its turn comes, by the live policy."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

from config.access_key import AccessKey
from config.policy import PolicyConfig
from config.tenant import Tenant
from routing.errors import RequestError, RouterError, Unauthenticated
from routing.job import ServiceTier
from routing.plan import Plan
from routing.planner import plan
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from workers.batches.line import Line
from workers.batches.shares import Rooms
from workers.directory import Directory
from workers.ledger.batch_lines import LineOrder, LineRefusal
from workers.ledger.batch_record import Batch
from workers.queue import Order, new_job_id, submission
from workers.requests.demands import demand_of
from workers.surfaces.registry import CHAT
from workers.tenant_limits import check_size

# Lines begin below `flex`; whose batch has little of its window left goes with it, in the end with everybody else.
_AGED = ((0.1, ServiceTier.DEFAULT), (0.25, ServiceTier.FLEX))


def tier_of_age(left_s: float, window_s: float) -> ServiceTier:
    """How urgent a line is: nobody starves, however busy the providers are with what is more urgent."""
    for part, tier in _AGED:
        if left_s < part * window_s:
            return tier
    return ServiceTier.BATCH


class LineOrdering:
    """Plans lines and says where they go."""

    def __init__(self, directory: Directory, snapshot: Callable[[], Snapshot], rng: Random) -> None:
        self._directory = directory
        self._snapshot = snapshot
        self._rng = rng

    def order(
        self, line: Line, batch: Batch, tenant: Tenant, tier: ServiceTier, rooms: Rooms
    ) -> LineOrder | LineRefusal | None:
        """The line as a job, its room taken; a refusal where it cannot be run any more; None: no provider has room."""
        try:
            demand = demand_of(batch.endpoint, line.body)
            wanted = replace(demand.wanted(), priority=tier.priority)
            check_size(tenant.quotas, wanted)
            edition, key = self._directory.current, self._key(batch)
            policy = edition.policy(wanted.policy or tenant.routing_policy)
            planned = plan(wanted, tenant, policy, edition.catalogue, self._snapshot(), time.time(), self._rng, key)
        except RequestError as error:
            return refusal(line, error)
        place = _place(planned, tenant, rooms, spill=_may_spill(policy, wanted))
        if place is None:
            return None
        provider = planned.candidates[place].deployment.provider
        rooms.take(tenant.tenant_id, provider)
        echo = demand.echo_for(planned)
        order = Order(
            deadline_s=0,
            tier=tier,
            surface="" if demand.surface is CHAT else demand.surface.name,
            echo=json.dumps(echo) if echo else "",
            key=batch.key,
        )
        job = submission(new_job_id(), tenant, wanted, demand.body, planned, order, place=place)
        return LineOrder(line.custom_id, provider, place, job)

    def _key(self, batch: Batch) -> AccessKey | None:
        """The key the batch came with, whether or not it has expired since: the batch was accepted before.

        Unauthenticated where it was revoked, deleted or taken from its file: what has leaked must not go on spending.
        None where batches of an earlier version do not say.
        """
        if not batch.key:
            return None
        key = self._directory.key(batch.key)
        if key is None:
            raise Unauthenticated("the API key that this batch was made with is no more, or was revoked")
        return key


def refusal(line: Line, error: RouterError) -> LineRefusal:
    """The line as one that failed before it was a job."""
    body, model = line.body, line.body.get("model")
    answer = json.dumps(error.body())
    return LineRefusal(
        new_job_id(), line.custom_id, error.status, answer, json.dumps(body), model if isinstance(model, str) else ""
    )


def _may_spill(policy: PolicyConfig, wanted: RoutingRequest) -> bool:
    """Whether a line may go to another candidate than the plan's first: not where price or the caller decides."""
    wishes = wanted.preferences
    return policy.strategy != "cost-optimized" and wishes.sort is None and not wishes.order


def _place(planned: Plan, tenant: Tenant, rooms: Rooms, *, spill: bool) -> int | None:
    """The first candidate with room; only the plan's own first where the others would cost more (`spill` is False)."""
    for place, candidate in enumerate(planned.candidates if spill else planned.candidates[:1]):
        if rooms.at(tenant.tenant_id, candidate.deployment.provider) > 0:
            return place
    return None
