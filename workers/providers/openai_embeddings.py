"""OpenAI's embeddings, as any compatible vendor speaks them. Format: OpenAI's API reference for embeddings."""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.request_fields import ROUTER_FIELDS
from workers.providers.base import Account, Completion, Reply
from workers.providers.reader import count, mapping, text
from workers.providers.vectors import completion_of


def body_of(model: str, request: Mapping[str, Any], *, dimensions_field: str) -> dict[str, Any]:
    """The request for `model`, less what is ours and what is null."""
    body = {name: value for name, value in request.items() if name not in ROUTER_FIELDS and value is not None}
    body["model"] = model
    if "dimensions" in body:
        body[dimensions_field] = body.pop("dimensions")
    return body


def completion_from(account: Account, model: str, request: Mapping[str, Any], reply: Reply) -> Completion:
    """The vectors of a 2xx answer in the order of the inputs; MalformedAnswer."""
    body = reply.json_object()
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise MalformedAnswer(f"{account.name} answered without a list of embeddings", upstream_status=reply.status)
    usage = mapping(body.get("usage"))
    extras = {**body, "model": text(body.get("model")) or model}
    tokens = count(usage.get("prompt_tokens")) or count(usage.get("total_tokens"))
    return completion_of([item.get("embedding") for item in _in_order(data)], tokens, request, extras)


def _in_order(data: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By `index`, where vendors give one; it must then be a place for each."""
    places = [item.get("index") for item in data]
    if all(place is None for place in places) or places == list(range(len(data))):
        return data
    by_place = {place: item for place, item in zip(places, data, strict=True) if isinstance(place, int)}
    try:
        return [by_place[place] for place in range(len(data))]
    except KeyError as error:
        raise MalformedAnswer(f"the answer has no embedding with index {error}") from error
