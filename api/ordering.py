"""From a validated body and its headers to an accepted job: the request's options, its plan, its submission."""

import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import Any

import structlog
from flask import request

from api import rate_limits
from api.context import REQUEST_ID, services
from api.principal import Principal
from routing.errors import InvalidRequest
from routing.job import ServiceTier
from routing.plan import Plan
from routing.planner import plan
from routing.request import RoutingRequest
from routing.spending import expected_microusd
from workers.ledger.headroom import Refused
from workers.ledger.record import Accepted, Conflict, Existing
from workers.queue import Order, submit
from workers.requests.demand import Demand
from workers.surfaces.registry import CHAT
from workers.tenant_limits import refusal_of

log = structlog.get_logger()

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_TIERS = {"auto": ServiceTier.DEFAULT}
# The longest wait a caller may ask for.
LONGEST_WAIT_S = 86_400


@dataclass(frozen=True, slots=True)
class Preference:
    """RFC 7240's Prefer header, as far as it speaks of waiting."""

    background: bool
    # How long the caller wants to wait; None: as long as the server lets it.
    wait_s: float | None

    @classmethod
    def of_request(cls, body: dict[str, Any]) -> "Preference":
        """What this request asks for, in its body or its Prefer header; InvalidRequest for a wait that is no number."""
        background, wait_s = bool(body.get("background")), None
        for preference in ",".join(request.headers.getlist("Prefer")).split(","):
            name, _, value = preference.strip().partition("=")
            if name.lower() == "respond-async":
                background = True
            elif name.lower() == "wait":
                wait_s = parse_wait(value.strip('"'), "Prefer")
        return cls(background, wait_s)


def parse_wait(text: str, where: str) -> float:
    """A number of seconds to wait from outside; InvalidRequest names `where` it stood."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise InvalidRequest(f"{where}: wait must be a number of seconds from 0 to {LONGEST_WAIT_S}", param="wait")
    return seconds


def place(
    principal: Principal, demand: Demand, job_id: str, waiter: str, replay_of: str = ""
) -> Accepted | Existing | Conflict:
    """Plan the request and have its job accepted; raises the RouterError the caller is told otherwise.

    `replay_of` is the job that was asked the same before.
    """
    wanted = demand.wanted()
    tenant = services().own_keys.on(principal.tenant)
    planned = route(principal, wanted, time.time())
    order = _order(principal, demand, planned, waiter, replay_of)
    placed = submit(services().ledger, job_id, tenant, wanted, demand.body, planned, order)
    if isinstance(placed, Accepted | Refused):
        rate_limits.note(placed.headroom)
    if isinstance(placed, Accepted):
        log.info(
            "job.accepted",
            job_id=job_id,
            request_id=order.request_id,
            tenant_id=principal.tenant_id,
            model=wanted.model,
            provider=planned.candidates[0].deployment.provider,
        )
    if principal.tenant.features.detailed_logging:
        # The one place where a prompt is logged, for tenants whose file asks for it.
        who = {"tenant_id": principal.tenant_id, "key": principal.key.id}
        log.info("request.detail", job_id=job_id, **who, asked=demand.body)
    if isinstance(placed, Refused):
        cost = expected_microusd(planned, wanted)
        raise refusal_of(placed, wanted.prompt_tokens + wanted.completion_tokens, cost)
    return placed


def route(principal: Principal, wanted: RoutingRequest, now: float) -> Plan:
    """The plan of a request as this process sees the providers.

    Raises ModelNotFound, ModelNotAllowed, NoCandidates or InvalidRequest.
    """
    parts = services()
    edition = parts.directory.current
    tenant = parts.own_keys.seen(principal.tenant)
    policy = edition.policy(wanted.policy or tenant.routing_policy)
    snapshot = parts.snapshots.current
    return plan(wanted, tenant, policy, edition.catalogue, snapshot, now, parts.rng, principal.key)


def _order(principal: Principal, demand: Demand, planned: Plan, waiter: str, replay_of: str) -> Order:
    body, echo = demand.body, demand.echo_for(planned)
    key = request.headers.get("Idempotency-Key")
    tier = body.get("service_tier") or "auto"
    return Order(
        deadline_s=body.get("deadline_s") or services().settings.deadline_s,
        tier=_TIERS.get(tier) or ServiceTier(tier),
        idempotency="" if key is None else idempotency_of(key),
        fingerprint="" if key is None else _fingerprint(demand, replay_of),
        waiter=waiter,
        webhook=body.get("webhook_url") or "",
        request_id=request.environ[REQUEST_ID],
        surface="" if demand.surface is CHAT else demand.surface.name,
        echo=json.dumps(echo) if echo else "",
        stream=_stream(body),
        replay_of=replay_of,
        key=principal.key.id,
        key_quotas=principal.key.quotas,
        unstored=body.get("store") is False or demand.echo.get("store") is False,
    )


def _stream(body: dict[str, Any]) -> str:
    if not body.get("stream"):
        return ""
    return "usage" if (body.get("stream_options") or {}).get("include_usage") else "1"


def idempotency_of(key: str) -> str:
    """What an Idempotency-Key is kept as; InvalidRequest where it cannot be one."""
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequest("Idempotency-Key must be 1 to 255 printable ASCII characters without blanks")
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _fingerprint(demand: Demand, replay_of: str) -> str:
    """A replay means another request than the one it repeats."""
    native = () if demand.native is None else (demand.native.to_wire(),)
    return fingerprint_of([demand.surface.name, demand.body, demand.echo, *native, *([replay_of] if replay_of else ())])


def fingerprint_of(meant: Any) -> str:
    """The same for requests that mean the same, however they were written."""
    return hashlib.blake2b(json.dumps(meant, sort_keys=True).encode(), digest_size=16).hexdigest()
