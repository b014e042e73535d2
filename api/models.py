"""/v1/models: what can be asked for, aliases and deployments, in OpenAI's form with OpenRouter's price fields."""

from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.service_shapes import MODEL, MODELS
from api.principal import Principal, authenticate
from config.provider import Price
from config.tenant import Tenant
from routing.catalogue import Deployment
from routing.eligibility import key_obstacle, unusable_reason
from routing.errors import ModelNotFound

blueprint = Blueprint("models", __name__, url_prefix="/v1/models")
# OpenAI's form wants a creation time; a configured model has none.
_CREATED = 0


@blueprint.get("")
@documented(
    Operation(
        tag="Models",
        summary="List what can be asked for",
        answers=(found(MODELS, "Aliases, then deployments."), *refused(401)),
    )
)
def index() -> Response:
    """Every alias and deployment this key can use now."""
    return replies.as_json({"object": "list", "data": _models(authenticate())})


@blueprint.get("/<path:model>")
@documented(
    Operation(
        tag="Models",
        summary="Look at a model",
        parameters=(Parameter("model", "path", "An alias or `provider/model`.", {"type": "string", "minLength": 1}),),
        answers=(found(MODEL, "The model."), *refused(401, 404)),
    )
)
def show(model: str) -> Response:
    """One of them; ModelNotFound names the nearest."""
    for shown in _models(authenticate()):
        if shown["id"] == model:
            return replies.as_json(shown)
    services().directory.current.catalogue.find(model)
    raise ModelNotFound(f"the model {model!r} cannot be used with this key", param="model")


def _models(principal: Principal) -> list[dict[str, Any]]:
    edition = services().directory.current
    tenant = services().own_keys.seen(principal.tenant)
    shown: list[dict[str, Any]] = []
    for alias in edition.configuration.aliases:
        found = edition.catalogue.find(alias)
        served = [deployment for deployment in found if _can_use(principal, tenant, alias, deployment)]
        if served:
            contexts = [deployment.context_length for deployment in served if deployment.context_length]
            shown.append(
                {
                    "id": alias,
                    "object": "model",
                    "created": _CREATED,
                    "owned_by": "model-router",
                    "context_length": max(contexts, default=None),
                    "capabilities": sorted(frozenset.intersection(*map(_capabilities, served))),
                    "deployments": [deployment.id for deployment in served],
                }
            )
    return shown + [
        {
            "id": deployment.id,
            "object": "model",
            "created": _CREATED,
            "owned_by": deployment.provider,
            "context_length": deployment.context_length,
            "capabilities": sorted(_capabilities(deployment)),
            "pricing": _pricing(deployment.price),
        }
        for deployment in edition.catalogue.deployments.values()
        if _can_use(principal, tenant, deployment.id, deployment)
    ]


def _can_use(principal: Principal, tenant: Tenant, asked: str, deployment: Deployment) -> bool:
    if deployment.provider not in tenant.providers or unusable_reason(deployment, tenant) is not None:
        return False
    return key_obstacle(principal.key, asked, deployment) is None


def _capabilities(deployment: Deployment) -> frozenset[str]:
    """What it states, or else what it may be asked for: `chat`, `embeddings`."""
    return deployment.endpoints if deployment.capabilities is None else deployment.capabilities


def _pricing(price: Price | None) -> dict[str, str] | None:
    """USD per token, as text, as OpenRouter writes it; None where the price is not known."""
    if price is None:
        return None
    million = 1_000_000
    pricing = {"prompt": f"{price.input / million:f}", "completion": f"{price.output / million:f}"}
    if price.cached_input is not None:
        pricing["input_cache_read"] = f"{price.cached_input / million:f}"
    return pricing
