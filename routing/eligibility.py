"""Which deployments can serve a request at all, and why the others cannot. Pure."""

from math import ceil, inf

from config.tenant import Tenant
from routing.catalogue import BREAKER_OPEN, Catalogue, Deployment, Exclusion
from routing.preferences import NONE
from routing.request import RoutingRequest
from routing.snapshot import Snapshot

# The token estimate is rough: a context is too short only when it is exceeded by this factor.
_CONTEXT_MARGIN = 1.25
_NO_RESPONSES = "has no Responses endpoint"


def eligible(
    request: RoutingRequest, tenant: Tenant, catalogue: Catalogue
) -> tuple[list[tuple[Deployment, int]], list[Exclusion]]:
    """The deployments that can serve the request, each with the place of its model in the caller's list; the others."""
    found: list[tuple[Deployment, int]] = []
    exclusions: list[Exclusion] = []
    seen: set[str] = set()
    wishes = request.preferences
    for wish, model in enumerate(request.wanted):
        for deployment in catalogue.find(model):
            if deployment.id in seen:
                continue
            seen.add(deployment.id)
            reason, param = _obstacle(deployment, request, tenant), "model"
            if reason is not None and reason.startswith(_NO_RESPONSES):
                param = request.responses_field
            if reason is None and wishes is not NONE:
                reason = wishes.obstacle(deployment, request.needs, request.parameters, request.prompt_tokens)
                param = "provider"
            if reason is None:
                found.append((deployment, wish))
            else:
                exclusions.append(Exclusion(deployment.provider, deployment.model, reason, param))
    return found, exclusions


def past_breakers(
    found: list[tuple[Deployment, int]], exclusions: list[Exclusion], tenant: Tenant, snapshot: Snapshot, now: float
) -> list[tuple[Deployment, int]]:
    """Those of `found` that breakers let be called, or else the one they let be first; the others are excluded."""
    if not snapshot.tripped or not tenant.features.circuit_breaker:
        return found
    waits = [_breaker_wait_s(deployment, snapshot, now) for deployment, _ in found]
    soonest = min(waits)
    kept = [row for row, wait_s in zip(found, waits, strict=True) if wait_s == 0]
    if soonest > 0:
        kept = [found[waits.index(soonest)]]
    for row, wait_s in zip(found, waits, strict=True):
        if row not in kept:
            until = "" if wait_s == inf else f" for another {ceil(wait_s)} s"
            exclusions.append(Exclusion(row[0].provider, row[0].model, f"{BREAKER_OPEN}{until}"))
    return kept


def unusable_reason(deployment: Deployment, tenant: Tenant) -> str | None:
    """Why calls of this tenant cannot go out to the deployment's provider; None where they can, with whosever key."""
    own = tenant.own_keys.get(deployment.provider)
    if own is not None and deployment.takes_own_keys:
        # It never falls back to the shared account for want of its own key.
        return own.unusable_reason
    return deployment.unusable_reason


def _breaker_wait_s(deployment: Deployment, snapshot: Snapshot, now: float) -> float:
    """Seconds until the breakers of a deployment and of its account let it be called; infinite where nobody knows."""
    longest = 0.0
    for name in (deployment.id, deployment.provider):
        breaker = snapshot.tripped.get(name)
        if breaker is not None:
            wait_s = breaker.wait_s(now)
            longest = max(longest, inf if wait_s is None else wait_s)
    return longest


def _obstacle(deployment: Deployment, request: RoutingRequest, tenant: Tenant) -> str | None:
    """Why this deployment cannot serve this request of this tenant; None where it can."""
    if deployment.provider not in tenant.providers:
        return "not among the tenant's providers"
    if (unusable := unusable_reason(deployment, tenant)) is not None:
        return unusable
    if request.endpoints.isdisjoint(deployment.endpoints):
        return _unserved(request)
    if request.needs and (lacking := deployment.lacks(request.needs)):
        return f"lacks {', '.join(sorted(lacking))}"
    tokens = request.context_tokens
    if tokens is None:
        tokens = request.prompt_tokens + (request.max_tokens or 0)
    if deployment.context_length is not None and tokens > deployment.context_length * _CONTEXT_MARGIN:
        return f"context of {deployment.context_length} tokens is too short for about {tokens}"
    return None


def _unserved(request: RoutingRequest) -> str:
    if request.responses_field:
        return f"{_NO_RESPONSES}, which {request.responses_field} needs"
    return f"does not serve {'embeddings' if request.embeds else 'chat'}"
