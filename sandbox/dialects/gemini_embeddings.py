"""Embeddings of the Gemini API: embedContent and batchEmbedContents. Source: ai.google.dev/api/embeddings."""

import json
from typing import Any

from sandbox import tokens
from sandbox.dialects import gemini_refusals as refusals
from sandbox.dialects.base import JSON_TYPE, Reply, Route
from sandbox.dialects.gemini_contents import read_text
from sandbox.dialects.gemini_fields import BATCH_EMBED, EMBED, EMBED_CONFIG, Finding, messages, read, scalar
from sandbox.embedding import vector

SINGLE, BATCH = "embedContent", "batchEmbedContents"
METHODS = (SINGLE, BATCH)
_MOST = 100
_LENGTH = 3072


def embed(payload: Any, route: Route) -> tuple[int, Reply]:
    """The tokens and the answer. Raises a refusal."""
    findings: list[Finding] = []
    if not route.batch:
        embedding, used = _embedding(payload, "", route.model, findings)
        return used, _reply(findings, {"embedding": embedding}, used)
    given = messages(read(payload, BATCH_EMBED, "", findings).get("requests"), "requests", findings)
    if len(given) > _MOST:
        told = f"* BatchEmbedContentsRequest.requests: at most {_MOST} requests can be in one batch\n"
        raise refusals.refusal(400, told)
    made = [_embedding(item, path, route.model, findings) for item, path in given]
    used = sum(count for _, count in made)
    return used, _reply(findings, {"embeddings": [embedding for embedding, _ in made]}, used)


def is_embedding_model(model: str) -> bool:
    """Whether the model embeds, by its name."""
    return "embedding" in model


def _embedding(payload: Any, path: str, model: str, findings: list[Finding]) -> tuple[dict[str, Any], int]:
    """One ContentEmbedding and its tokens; a vector that is cut is not brought back to length one."""
    request = read(payload, EMBED, path, findings)
    config = read(request.get("embed_content_config") or {}, EMBED_CONFIG, f"{path}.embed_content_config", findings)
    size = scalar({**request, **config}, "output_dimensionality", int, path, findings)
    for name in ("task_type", "title"):
        scalar({**request, **config}, name, str, path, findings)
    text = read_text(request.get("content"), f"{path}.content".lstrip("."), findings)
    if findings:
        return {}, 0
    if path and request.get("model") != f"models/{model}":
        told = f"* BatchEmbedContentsRequest.{path}.model: must match the model of the batch\n"
        raise refusals.refusal(400, told)
    if not text:
        raise refusals.refusal(400, "* EmbedContentRequest.content contains an empty Part.\n")
    if size is not None and not 1 <= size <= _LENGTH:
        raise refusals.refusal(400, f"* EmbedContentRequest.output_dimensionality: must be in [1, {_LENGTH}]\n")
    return {"values": vector(text, _LENGTH)[:size]}, tokens.count(text)


def _reply(findings: list[Finding], body: dict[str, Any], used: int) -> Reply:
    if findings:
        raise refusals.violations(findings)
    details = [{"modality": "TEXT", "tokenCount": used}]
    body["usageMetadata"] = {"promptTokenCount": used, "promptTokenDetails": details}
    return Reply(200, (JSON_TYPE,), json.dumps(body).encode())
