"""Embeddings in Gemini's words: batchEmbedContents. Format: ai.google.dev/api/embeddings."""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.request_fields import ROUTER_FIELDS
from workers.providers.base import Account, Completion, Reply
from workers.providers.reader import count, mapping
from workers.providers.rules import inexpressible
from workers.providers.vectors import completion_of, normalised

# "at most 100 requests can be in one batch", says its refusal.
MAX_INPUTS = 100
_LEFT_OUT = ROUTER_FIELDS | {"model", "input", "dimensions", "encoding_format", "user", "safety_identifier"}


def body_of(model: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The batch of `request`'s inputs; NotExpressible for tokens, and for more inputs than a batch holds.

    Fields OpenAI does not know (`taskType`, `title`) stand in each of its requests.
    """
    given = request.get("input")
    inputs = [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not all(isinstance(item, str) for item in inputs):
        raise inexpressible("input", "google-gemini takes text, and no tokens")
    if len(inputs) > MAX_INPUTS:
        raise inexpressible("input", f"google-gemini takes at most {MAX_INPUTS} inputs at once")
    common = {name: value for name, value in request.items() if name not in _LEFT_OUT and value is not None}
    common["model"] = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    if (dimensions := request.get("dimensions")) is not None:
        common["outputDimensionality"] = dimensions
    return {"requests": [{**common, "content": {"parts": [{"text": item}]}} for item in inputs]}


def completion_from(account: Account, model: str, request: Mapping[str, Any], reply: Reply) -> Completion:
    """The vectors of a 2xx answer; MalformedAnswer.

    Some models do not bring vectors that were shortened back to length one, which OpenAI's always have.
    """
    body = reply.json_object()
    found = body.get("embeddings")
    if not isinstance(found, list):
        raise MalformedAnswer(f"{account.name} answered without embeddings", upstream_status=reply.status)
    vectors = [mapping(item).get("values") for item in found]
    if request.get("dimensions") is not None:
        vectors = [normalised(vector) for vector in vectors]
    tokens = count(mapping(body.get("usageMetadata")).get("promptTokenCount"))
    return completion_of(vectors, tokens, request, {"model": model})
