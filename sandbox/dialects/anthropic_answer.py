"""An answer as Anthropic's message: content blocks, stop reason, counts."""

from typing import Any

from sandbox.answer import Answer, Finish
from sandbox.identifiers import Identifiers
from sandbox.prompt import Prompt

_STOP_REASONS = {Finish.STOP: "end_turn", Finish.LENGTH: "max_tokens", Finish.TOOL_CALLS: "tool_use"}


def message(prompt: Prompt, answer: Answer, identifiers: Identifiers) -> dict[str, Any]:
    """The whole message."""
    content: list[dict[str, Any]] = [thinking(answer)] if answer.reasoning else []
    content += [{"type": "text", "text": answer.text}] if answer.text else []
    for call in answer.tool_calls:
        identifier = identifiers.new("toolu_")
        content.append({"type": "tool_use", "id": identifier, "name": call.name, "input": call.arguments})
    return envelope(prompt, identifiers) | {
        "content": content,
        **ending(answer),
        "usage": usage(answer),
    }


def envelope(prompt: Prompt, identifiers: Identifiers) -> dict[str, Any]:
    """A message before its content, without its usage."""
    return {
        "id": identifiers.new("msg_"),
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def thinking(answer: Answer) -> dict[str, Any]:
    """What the model thought, as a block."""
    return {"type": "thinking", "thinking": answer.reasoning, "signature": "c2FuZGJveA=="}


def ending(answer: Answer) -> dict[str, Any]:
    """How the message ends; a refusal with its details."""
    ended: dict[str, Any] = {"stop_reason": _stop_reason(answer), "stop_sequence": answer.stopped_by}
    if answer.refusal is not None:
        ended["stop_details"] = {"type": "refusal", "category": None, "explanation": answer.refusal}
    return ended


def _stop_reason(answer: Answer) -> str:
    if answer.refusal is not None:
        return "refusal"
    return "stop_sequence" if answer.stopped_by is not None else _STOP_REASONS[answer.finish]


def usage(answer: Answer) -> dict[str, Any]:
    """The counts of an answer; Anthropic counts cached tokens beside the input, not in it."""
    counts: dict[str, Any] = {
        "input_tokens": answer.prompt_tokens - answer.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": answer.cached_tokens,
        "output_tokens": answer.completion_tokens,
        "service_tier": "standard",
    }
    if answer.reasoning_tokens:
        counts["output_tokens_details"] = {"thinking_tokens": answer.reasoning_tokens}
    return counts
