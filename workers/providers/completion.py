"""OpenAI's `chat.completion` object, built by the native dialects from what they read of an answer."""

import time
import uuid
from typing import Any

from routing.job import Usage
from workers.providers.base import Completion


def completion_of(choices: list[dict[str, Any]], usage: Usage, *, model: str, answer_id: str = "") -> Completion:
    """A Completion of `choices`. `answer_id` is the vendor's; a fresh one where it gave none."""
    body = {
        "id": answer_id or f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": usage_body(usage),
    }
    return Completion(body, usage)


def usage_body(usage: Usage) -> dict[str, Any]:
    """`usage` as OpenAI writes it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def counted(*, prompt: int, completion: int, cached: int, reasoning: int) -> Usage:
    """A Usage in which the parts are never more than their wholes."""
    return Usage(prompt, completion, min(cached, prompt), min(reasoning, completion))


def message_of(
    words: str, *, reasoning: str = "", tool_calls: list[dict[str, Any]] | None = None, refusal: str | None = None
) -> dict[str, Any]:
    """An assistant message; `content` is null where there are only tool calls or a refusal."""
    message: dict[str, Any] = {"role": "assistant", "content": words, "refusal": refusal}
    if not words and (tool_calls or refusal is not None):
        message["content"] = None
    if reasoning:
        message["reasoning_content"] = reasoning
    if tool_calls:
        message["tool_calls"] = tool_calls
    return message


def choice_of(index: int, message: dict[str, Any], finish_reason: str, logprobs: Any = None) -> dict[str, Any]:
    """One choice of a completion."""
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish_reason}
