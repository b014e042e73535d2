"""Anthropic's events: message_start, blocks with their deltas, ping, message_delta, message_stop."""

import json
from typing import Any

from sandbox import tokens
from sandbox.answer import Answer
from sandbox.dialects.anthropic_answer import ending, envelope, thinking, usage
from sandbox.identifiers import Identifiers
from sandbox.prompt import Prompt


def events(prompt: Prompt, answer: Answer, identifiers: Identifiers) -> list[bytes]:
    """The events of an answer."""
    counts = usage(answer)
    begun = envelope(prompt, identifiers) | {"usage": counts | {"output_tokens": 1}}
    frames = [_event("message_start", {"message": begun})]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if answer.reasoning:
        block = thinking(answer)
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in tokens.split(answer.reasoning)]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        blocks.append((block | {"thinking": "", "signature": ""}, deltas))
    if answer.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in tokens.split(answer.text)]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for call in answer.tool_calls:
        head = {"type": "tool_use", "id": identifiers.new("toolu_"), "name": call.name, "input": {}}
        pieces = ["", *tokens.split(call.json)]
        blocks.append((head, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]))
    for index, (head, deltas) in enumerate(blocks):
        frames.append(_event("content_block_start", {"index": index, "content_block": head}))
        if index == 0:
            frames.append(_event("ping", {}))
        frames += [_event("content_block_delta", {"index": index, "delta": delta}) for delta in deltas]
        frames.append(_event("content_block_stop", {"index": index}))
    frames.append(_event("message_delta", {"delta": ending(answer), "usage": counts}))
    frames.append(_event("message_stop", {}))
    return frames


def _event(name: str, value: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **value})}\n\n".encode()
