"""POST /v1/routing/plan: how a request would be routed now. No job, no call, no cost."""

import time
from typing import Any

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.routing_shapes import DRY_RUN
from api.openapi.shape import either, word
from api.ordering import route
from api.principal import authenticate
from routing.errors import InvalidRequest
from routing.health import Health
from routing.plan import Candidate
from workers.requests import chat_schema, embeddings_schema
from workers.requests.demand import Demand
from workers.surfaces.registry import CHAT, EMBEDDINGS

blueprint = Blueprint("routing_plan", __name__, url_prefix="/v1/routing")


_SURFACE = Parameter(
    "surface", "query", "Whose request the body is; chat if left out.", word((CHAT.name, EMBEDDINGS.name))
)


@blueprint.post("/plan")
@documented(
    Operation(
        tag="Routing",
        summary="See how a request would be routed",
        parameters=(_SURFACE,),
        body=either(chat_schema.ChatCompletionSchema, embeddings_schema.EmbeddingsSchema),
        example={"model": "fast", "messages": [{"role": "user", "content": "Hello!"}]},
        answers=(found(DRY_RUN, "The plan; nothing is called."), *refused(400, 401, 404, 413, 415)),
    )
)
def dry_run() -> Response:
    """The candidates in the order they would be tried, with what their scores rest on, and who was left out and why.

    The body is a chat completion's, or with `?surface=embeddings` an embeddings request's. Near-equal candidates take
    turns, so two answers may differ in their order.
    """
    principal = authenticate()
    demand = _demand(request.args.get("surface", CHAT.name))
    now = time.time()
    snapshot = services().snapshots.current
    wanted = demand.wanted()
    planned = route(principal, wanted, now)
    shown = planned.as_object()
    for candidate, entry in zip(planned.candidates, shown["candidates"], strict=True):
        wait_ms = snapshot.wait_ms(candidate.deployment.provider, wanted.priority)
        entry["estimates"] = _estimates(candidate, snapshot.of(candidate.deployment.id), wait_ms, now)
    return replies.as_json(shown)


def _demand(surface: str) -> Demand:
    body = read_json_object()
    match surface:
        case CHAT.name:
            chat_schema.check(body)
            return Demand(CHAT, body)
        case EMBEDDINGS.name:
            embeddings_schema.check(body)
            return Demand(EMBEDDINGS, body)
    raise InvalidRequest("surface: must be chat or embeddings", param="surface")


def _estimates(candidate: Candidate, health: Health, wait_ms: float, now: float) -> dict[str, Any]:
    """Micro-dollars and ms for this request, its deployment's speed, and how many faded calls uptime rests on.

    `latency_ms` includes the wait. What is not known is null.
    """
    speed = health.speed
    return {
        "cost_microusd": None if candidate.cost_microusd is None else round(candidate.cost_microusd, 3),
        "latency_ms": None if candidate.latency_ms is None else round(candidate.latency_ms, 1),
        "ttft_ms": round(speed.ttft_ms, 1) if speed.known else None,
        "tokens_per_s": round(speed.tokens_per_s, 1) if speed.known else None,
        "spread_ms": round(speed.spread_ms, 1) if speed.known else None,
        "queue_wait_ms": round(wait_ms, 1),
        "uptime": round(health.uptime(now), 4),
        "evidence": round(health.evidence(now), 2),
    }
