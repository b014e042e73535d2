"""From a body to what is asked, by the path it was sent to: for requests that come in many at once."""

from collections.abc import Callable, Mapping
from typing import Any

from routing.errors import InvalidRequest
from workers.requests import chat_schema, embeddings_schema, legacy_schema, responses_demand, responses_schema
from workers.requests.demand import Demand
from workers.surfaces import completions, responses_request
from workers.surfaces.base import Surface
from workers.surfaces.registry import CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES

# What a line of a batch cannot do, which is answered into a file and has its batch's deadline and webhook.
_NOT_IN_BATCHES = ("stream", "background")


def _chat(body: dict[str, Any]) -> Demand:
    chat_schema.check(body)
    return Demand(CHAT, body)


def _completions(body: dict[str, Any]) -> Demand:
    legacy_schema.check(body)
    return Demand(COMPLETIONS, completions.chat_request(body), completions.echo_of(body))


def _embeddings(body: dict[str, Any]) -> Demand:
    embeddings_schema.check(body)
    return Demand(EMBEDDINGS, body)


def _responses(body: dict[str, Any]) -> Demand:
    responses_schema.check(body)
    if body.get("previous_response_id") is not None:
        raise InvalidRequest(
            "previous_response_id: a line of a batch has no response to go on from; put the conversation into input",
            param="previous_response_id",
        )
    return responses_demand.demand_of(body, responses_request.conversation_of(body, []))


# Each path that a batch may ask, as its `endpoint` and its lines' `url` name it.
ENDPOINTS: Mapping[str, tuple[Surface, Callable[[dict[str, Any]], Demand]]] = {
    "/v1/chat/completions": (CHAT, _chat),
    "/v1/completions": (COMPLETIONS, _completions),
    "/v1/embeddings": (EMBEDDINGS, _embeddings),
    "/v1/responses": (RESPONSES, _responses),
}


def surface_at(endpoint: str) -> Surface:
    """The form in which `endpoint` answers."""
    return ENDPOINTS[endpoint][0]


def demand_of(endpoint: str, body: dict[str, Any]) -> Demand:
    """What `body` asks of `endpoint` as a line of a batch; InvalidRequest names the field at fault."""
    for name in _NOT_IN_BATCHES:
        if body.get(name):
            raise InvalidRequest(f"{name}: a line of a batch cannot have it", param=name)
    return ENDPOINTS[endpoint][1](body)
