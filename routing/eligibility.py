"""Which deployments can serve a request at all, and why the others cannot. Pure."""

from collections.abc import Sequence
from math import ceil, inf

from config.access_key import AccessKey
from config.tenant import Tenant
from routing.access_errors import ModelNotAllowed
from routing.catalogue import BREAKER_OPEN, Catalogue, Deployment, Exclusion
from routing.errors import NoCandidates
from routing.preferences import NONE
from routing.request import RoutingRequest
from routing.snapshot import Snapshot

# The token estimate is rough: a context is too short only when it is exceeded by this factor.
_CONTEXT_MARGIN = 1.25
_NOT_THE_KEYS = "not among the key's models"
_NO_RESPONSES = "has no Responses endpoint"


def eligible(
    request: RoutingRequest, tenant: Tenant, catalogue: Catalogue, key: AccessKey | None = None
) -> tuple[list[tuple[Deployment, int]], list[Exclusion]]:
    """The deployments that can serve the request, each with the place of its model in the caller's list; the others.

    `key` is the one it came with, where that one may narrow what its tenant may use.
    """
    found: list[tuple[Deployment, int]] = []
    exclusions: list[Exclusion] = []
    seen: set[str] = set()
    wishes = request.preferences
    narrows = key is not None and (key.models is not None or key.providers is not None)
    for wish, model in enumerate(request.wanted):
        for deployment in catalogue.find(model):
            if deployment.id in seen:
                continue
            seen.add(deployment.id)
            reason, param = _obstacle(deployment, request, tenant), "model"
            if reason is None and narrows and key is not None:
                reason = key_obstacle(key, model, deployment)
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


def key_obstacle(key: AccessKey, asked: str, deployment: Deployment) -> str | None:
    """Why a key may not use `deployment`, which `asked` stands for; None where it may.

    A name of its `models` allows what is asked for in that name, and the deployment, or the deployments of the model,
    of that name, whatever alias was asked for.
    """
    if key.providers is not None and deployment.provider not in key.providers:
        return "not among the key's providers"
    if key.models is not None and key.models.isdisjoint((asked, deployment.id, deployment.model)):
        return _NOT_THE_KEYS
    return None


def nobody_serves(exclusions: Sequence[Exclusion]) -> NoCandidates | ModelNotAllowed:
    """The error of a request that no deployment can serve, by why each was left out."""
    if exclusions and all(left.reason == _NOT_THE_KEYS for left in exclusions):
        return ModelNotAllowed("this API key may not use this model; GET /v1/models lists those it may", param="model")
    reasons = "; ".join(map(str, exclusions)) or "no deployment is configured for it"
    return NoCandidates(f"no deployment can serve this request: {reasons}", param=_param(exclusions))


def _param(exclusions: Sequence[Exclusion]) -> str:
    """The request's field that left everybody out: a wish goes before what the request needs."""
    params = {left.param for left in exclusions}
    return "provider" if "provider" in params else next(iter(params - {"model"}), "model")


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
