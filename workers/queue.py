"""The way in: what a web process calls to have a job accepted. Knows the ledger, and nothing of workers at work."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from config.tenant import Tenant, TenantQuotas
from routing.asked import Asked
from routing.job import ServiceTier
from routing.plan import Plan
from routing.request import RoutingRequest
from routing.spending import expected_microusd
from workers.budgets import has_budget
from workers.ledger.headroom import Refused
from workers.ledger.ledger import Ledger
from workers.ledger.record import Accepted, Conflict, Existing, Submission
from workers.queues import provider_queue
from workers.tenant_limits import NO_QUOTAS, check_size, limit_words


@dataclass(frozen=True, slots=True)
class Order:
    """How a caller wants a job to be handled; what is to be done is in the request's body."""

    deadline_s: float
    tier: ServiceTier = ServiceTier.DEFAULT
    # A hash of the Idempotency-Key and of the body it came with; empty without one.
    idempotency: str = ""
    fingerprint: str = ""
    # The API process that waits for the answer; empty when nobody does.
    waiter: str = ""
    webhook: str = ""
    request_id: str = ""
    # The form in which it was asked, and what of the original request its answer needs, as JSON.
    surface: str = ""
    echo: str = ""
    # Whether and how the answer is streamed (workers/ledger/record.py).
    stream: str = ""
    # The job whose request it runs again.
    replay_of: str = ""
    # The id of the key it came with, and what that is bound by beside its tenant.
    key: str = ""
    key_quotas: TenantQuotas = NO_QUOTAS
    # What was asked and answered is not to be kept beyond its delivery.
    unstored: bool = False


def new_job_id() -> str:
    """An id nobody can guess."""
    return f"job_{secrets.token_hex(16)}"


def submit(
    ledger: Ledger, job_id: str, tenant: Tenant, wanted: RoutingRequest, body: dict[str, Any], plan: Plan, order: Order
) -> Accepted | Existing | Conflict | Refused:
    """Accept a job on the queue of its plan's first candidate; StoreUnavailable when nothing was accepted.

    InvalidRequest for one of more tokens than the tenant's or the key's requests may have.
    `wanted` is what was planned for; `body` goes to the provider's adapter as it is.
    """
    check_size(tenant.quotas, wanted)
    check_size(order.key_quotas, wanted)
    limits = limit_words(tenant, order.key, order.key_quotas)
    return ledger.submit(submission(job_id, tenant, wanted, body, plan, order, limits=limits))


def submission(
    job_id: str,
    tenant: Tenant,
    wanted: RoutingRequest,
    body: dict[str, Any],
    plan: Plan,
    order: Order,
    *,
    place: int = 0,
    limits: str = "",
) -> Submission:
    """The job as it is accepted, on the queue of the candidate at `place` of its plan.

    `limits` are the words of what it is to keep to (reserve.lua); empty for none.
    """
    first = plan.candidates[place].deployment
    features = tenant.features
    bounded = has_budget(tenant.quotas) or has_budget(order.key_quotas)
    return Submission(
        id=job_id,
        tenant=tenant.tenant_id,
        queue=provider_queue(first.provider),
        priority=order.tier.priority,
        deadline_ms=int(order.deadline_s * 1000),
        request=json.dumps(body),
        plan=json.dumps(plan.to_wire()),
        model=wanted.model,
        policy=plan.policy,
        primary=first.provider,
        idempotency=f"{tenant.tenant_id}:{order.idempotency}" if order.idempotency else "",
        fingerprint=order.fingerprint,
        waiter=order.waiter,
        webhook=order.webhook,
        request_id=order.request_id,
        max_tries=None if features.retry_attempts is None else features.retry_attempts + 1,
        timeout_ms=None if features.timeout_s is None else int(features.timeout_s * 1000),
        deployment=first.id,
        careless=not features.circuit_breaker,
        prompt_tokens=wanted.prompt_tokens,
        completion_tokens=wanted.completion_tokens,
        asked=json.dumps(Asked.of(wanted).to_wire()),
        surface=order.surface,
        echo=order.echo,
        stream=order.stream,
        replay_of=order.replay_of,
        key=order.key,
        unstored=order.unstored,
        own=_own_words(tenant, plan),
        limits=limits,
        expected_microusd=expected_microusd(plan, wanted) if bounded else 0,
    )


def _own_words(tenant: Tenant, plan: Plan) -> str:
    """Which of the plan's providers the tenant brought a key for, as permit.lua and claimed.py read it."""
    if not tenant.own_keys:
        return ""
    names = dict.fromkeys(
        candidate.deployment.provider for candidate in plan.candidates if candidate.deployment.takes_own_keys
    )
    words = [f"{name}:{tenant.own_keys[name].version}" for name in names if name in tenant.own_keys]
    return f" {' '.join(words)} " if words else ""
