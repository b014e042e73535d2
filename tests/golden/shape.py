"""OpenAI's documented shapes, as its own client has them, held to strictly: nothing missing, nothing unknown."""

from collections.abc import Iterator
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

# What answers of this router have beside OpenAI's fields, by the type that holds it (docs/surfaces.md, Chat).
EXTRAS: dict[str, frozenset[str]] = {
    "ChatCompletion": frozenset({"routing_metadata"}),
    "ChatCompletionChunk": frozenset({"routing_metadata"}),
    "Choice": frozenset({"stop_reason"}),
    "ChatCompletionMessage": frozenset({"reasoning_content", "extra_content"}),
    "ChoiceDelta": frozenset({"reasoning_content", "extra_content"}),
    "ChatCompletionMessageFunctionToolCall": frozenset({"extra_content"}),
    "ChoiceDeltaToolCall": frozenset({"extra_content"}),
}
# What a vendor adds of its own to an answer in OpenAI's form, and is passed on.
VENDOR_EXTRAS: dict[str, dict[str, frozenset[str]]] = {
    "groq": {
        "ChatCompletion": frozenset({"x_groq", "usage_breakdown"}),
        "CompletionUsage": frozenset({"queue_time", "prompt_time", "completion_time", "total_time"}),
    }
}
# Required by OpenAI's description of its API, null allowed; the client's types take them for optional.
REQUIRED: dict[str, frozenset[str]] = {
    "ChatCompletion": frozenset({"usage"}),
    "Choice": frozenset({"logprobs"}),
    "ChatCompletionMessage": frozenset({"content", "refusal"}),
}


def completion_faults(answer: dict[str, Any], provider: str) -> list[str]:
    """Where a completion departs from OpenAI's; raises pydantic's error for a wrong type or a field that is missing."""
    found = ChatCompletion.model_validate(answer, strict=True)
    return [*_unknown(found, provider, "answer"), *_missing(found, "answer")]


def chunk_faults(chunk: dict[str, Any], provider: str) -> list[str]:
    """Where one chunk does."""
    return list(_unknown(ChatCompletionChunk.model_validate(chunk, strict=True), provider, "chunk"))


def _parts(model: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    for name in model.model_fields_set:
        value = getattr(model, name)
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, BaseModel):
                yield f"{name}[{number}]" if isinstance(value, list) else name, item


def _unknown(model: BaseModel, provider: str, path: str) -> Iterator[str]:
    kind = type(model).__name__
    known = EXTRAS.get(kind, frozenset()) | VENDOR_EXTRAS.get(provider, {}).get(kind, frozenset())
    yield from (f"{path}: {kind} has no {name}" for name in sorted(set(model.model_extra or ()) - known))
    for name, part in _parts(model):
        yield from _unknown(part, provider, f"{path}.{name}")


def _missing(model: BaseModel, path: str) -> Iterator[str]:
    wanted = REQUIRED.get(type(model).__name__, frozenset())
    yield from (f"{path}: {name} is not told" for name in sorted(wanted - model.model_fields_set))
    for name, part in _parts(model):
        yield from _missing(part, f"{path}.{name}")
