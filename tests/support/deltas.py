"""Chat completions for the tests of surfaces, and the choice deltas that a provider would stream for them."""

from collections.abc import Iterator
from typing import Any

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def completion_of(*messages: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    """A `chat.completion` with a choice for each message."""
    choices = [
        {"index": index, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
        for index, message in enumerate(messages)
    ]
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}


def deltas_of(completion: dict[str, Any], pieces: int = 1) -> Iterator[dict[str, Any]]:
    """The deltas that add up to `completion`: every text in about `pieces` parts, calls one after the other."""
    for choice in completion["choices"]:
        for delta in _deltas(choice["message"], pieces):
            yield {"index": choice["index"], "delta": delta, "finish_reason": None}
        last = {name: choice[name] for name in ("index", "finish_reason", "stop_reason") if name in choice}
        yield {**last, "delta": {}}


def _deltas(message: dict[str, Any], pieces: int) -> Iterator[dict[str, Any]]:
    calls = message.get("tool_calls") or []
    blocks = _thinking(message) or [block for call in calls for block in _thinking(call)]
    for block in blocks:
        yield from ({"reasoning_content": part} for part in _split(block.get("thinking", ""), pieces))
        yield {"extra_content": {"anthropic": {"thinking_blocks": [block]}}}
    if not blocks:
        yield from ({"reasoning_content": part} for part in _split(message.get("reasoning_content") or "", pieces))
    for name in ("content", "refusal"):
        yield from ({name: part} for part in _split(message.get(name) or "", pieces))
    for index, call in enumerate(calls):
        begun = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        if _thinking(call):
            # They have been told.
            del begun["extra_content"]
        yield {"tool_calls": [begun]}
        for part in _split(call["function"]["arguments"], pieces):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


def _thinking(holder: dict[str, Any]) -> list[dict[str, Any]]:
    extra = holder.get("extra_content") or {}
    return (extra.get("anthropic") or {}).get("thinking_blocks") or []


def _split(text: str, pieces: int) -> list[str]:
    size = max(1, -(-len(text) // pieces))
    return [text[start : start + size] for start in range(0, len(text), size)]
