"""chat.completion.chunk events: role, text or tool calls token by token, finish reason, usage, [DONE]."""

import json
import time
from typing import TYPE_CHECKING, Any

from sandbox import tokens
from sandbox.answer import Answer
from sandbox.logprobs import openai_steps
from sandbox.prompt import Prompt

if TYPE_CHECKING:
    from sandbox.dialects.openai import OpenAI

_DONE = b"data: [DONE]\n\n"


def chunks(dialect: "OpenAI", prompt: Prompt, answer: Answer) -> list[bytes]:
    """The events of an answer. With `include_usage` every chunk has `usage`, null but in the last one."""
    identifier = dialect.identifiers.new("chatcmpl-")
    common: dict[str, Any] = {
        "id": identifier,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": prompt.model,
        "system_fingerprint": "fp_sandbox",
    }
    if prompt.include_usage:
        common["usage"] = None
    frames: list[bytes] = []
    for index in range(prompt.choices):
        first = {"role": "assistant", "content": None if answer.tool_calls or answer.refusal is not None else ""}
        deltas = [first, *_deltas(dialect, answer)]
        extras = dialect.first_extras(identifier) if index == 0 else {}
        frames.append(_frame(common, index, deltas[0], None, extras))
        frames.extend(_frame(common, index, delta, None, {}, _told(prompt, delta)) for delta in deltas[1:])
        last = index == prompt.choices - 1
        extras = dialect.last_extras(identifier, prompt, answer) if last else {}
        frames.append(_frame(common, index, {}, answer.finish.value, extras))
    if prompt.include_usage:
        frames.append(_event({**common, "choices": [], "usage": dialect.usage(answer, prompt.choices)}))
    frames.append(_DONE)
    return frames


def _deltas(dialect: "OpenAI", answer: Answer) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = []
    if dialect.reasoning_field is not None:
        deltas += [{dialect.reasoning_field: piece} for piece in tokens.split(answer.reasoning)]
    deltas += [{"refusal": piece} for piece in tokens.split(answer.refusal or "")]
    deltas += [{"content": piece} for piece in tokens.split(answer.text)]
    for number, call in enumerate(answer.tool_calls):
        whole = not dialect.splits_arguments
        opening = {"name": call.name, "arguments": call.json if whole else ""}
        identifier = dialect.identifiers.new("call_")
        head = {"index": number, "id": identifier, "type": "function", "function": opening}
        deltas.append({"tool_calls": [head]})
        if not whole:
            pieces = tokens.split(call.json)
            deltas.extend({"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in pieces)
    return deltas


def logprobs_of(top: int, content: str, refusal: str) -> dict[str, Any]:
    """The log probabilities of a text or a refusal, or of a piece of one."""
    return {
        "content": openai_steps(content, top) if content else None,
        "refusal": openai_steps(refusal, top) if refusal else None,
    }


def _told(prompt: Prompt, delta: dict[str, Any]) -> dict[str, Any] | None:
    content, refusal = delta.get("content") or "", delta.get("refusal") or ""
    return None if prompt.logprobs is None or not content + refusal else logprobs_of(prompt.logprobs, content, refusal)


def _frame(
    common: dict[str, Any],
    index: int,
    delta: dict[str, Any],
    finish: str | None,
    extras: dict[str, Any],
    logprobs: dict[str, Any] | None = None,
) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return _event({**common, "choices": [choice], **extras})


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
