"""A chat completion as Anthropic's Message, and an OpenAI error as Anthropic's. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from routing.job import Usage
from workers.reading import count, mapping, objects, text

_STOP_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
# platform.claude.com/docs/en/api/errors; other 4xx are invalid requests, other 5xx the API's own.
_ERROR_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def content_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The blocks of an assistant message: thinking, text, tool uses."""
    calls = calls_of(message)
    blocks = thinking_of(message)
    for call in calls:
        blocks += thinking_of(call)
    reasoning = text(message.get("reasoning_content"))
    if reasoning and not blocks:
        blocks = [thinking_block(reasoning)]
    if words := text(message.get("content")):
        blocks.append({"type": "text", "text": words})
    return blocks + [{**tool_use(call), "input": _input(call)} for call in calls]


def calls_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The calls of functions in a message or a delta."""
    return [call for call in objects(message.get("tool_calls")) if isinstance(call.get("function"), dict)]


def thinking_of(holder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The signed thinking that a message, a call or a delta carries for Anthropic."""
    return objects(mapping(mapping(holder.get("extra_content")).get("anthropic")).get("thinking_blocks"))


def thinking_block(reasoning: str) -> dict[str, Any]:
    """Another provider's reasoning; nothing vouches for it, so its signature is empty."""
    return {"type": "thinking", "thinking": reasoning, "signature": ""}


def tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's block as it begins, without its input."""
    block: dict[str, Any] = {
        "type": "tool_use",
        "id": text(call.get("id")),
        "name": text(mapping(call.get("function")).get("name")),
        "input": {},
    }
    extra = {name: value for name, value in mapping(call.get("extra_content")).items() if name != "anthropic"}
    return {**block, "extra_content": extra} if extra else block


def stop_of(choice: Mapping[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    """Why the message ends. `stop_reason` of a choice is the stop sequence that was met, as vLLM tells it."""
    refusal = text(mapping(choice.get("message")).get("refusal"))
    reason = _STOP_REASONS.get(text(choice.get("finish_reason")), "end_turn")
    sequence = choice.get("stop_reason") if reason == "end_turn" else None
    if reason in ("end_turn", "tool_use"):
        used = any(block["type"] == "tool_use" for block in content)
        reason = "tool_use" if used else "refusal" if refusal else "end_turn"
    stop: dict[str, Any] = {"stop_reason": reason, "stop_sequence": None, "stop_details": None}
    if isinstance(sequence, str) and reason == "end_turn":
        return {**stop, "stop_reason": "stop_sequence", "stop_sequence": sequence}
    if reason == "refusal":
        stop["stop_details"] = {"type": "refusal", "category": None, "explanation": refusal or None}
    return stop


def usage_of(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens as Anthropic counts them: what was read from a cache beside the input, not within.

    What was written to a cache cannot be told apart here and counts as input.
    """
    cached = count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
    thinking = count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    return {
        "input_tokens": max(0, count(usage.get("prompt_tokens")) - cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": count(usage.get("completion_tokens")),
        "output_tokens_details": {"thinking_tokens": thinking},
    }


def counted(usage: Mapping[str, Any]) -> Usage:
    """The tokens that a Message tells of, as the router counts them: those of the cache within the prompt."""
    cached = count(usage.get("cache_read_input_tokens"))
    return Usage(
        prompt_tokens=count(usage.get("input_tokens")) + cached + count(usage.get("cache_creation_input_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
        cached_tokens=cached,
        reasoning_tokens=count(mapping(usage.get("output_tokens_details")).get("thinking_tokens")),
    )


def error_of(body: Mapping[str, Any], status: int) -> dict[str, Any]:
    """An error in Anthropic's form; what stands beside it in `body` stays. A code is its `details.error_code`."""
    told = mapping(body.get("error"))
    kind = _ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    error: dict[str, Any] = {"type": kind, "message": text(told.get("message"))}
    if code := text(told.get("code")):
        error["details"] = {"error_code": code}
    return {**body, "type": "error", "error": error}


def _input(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments; where a model wrote what is no JSON object, its words under `raw_arguments`."""
    raw = text(mapping(call.get("function")).get("arguments"))
    try:
        arguments = json.loads(raw or "{}")
    except (ValueError, RecursionError):
        arguments = None
    return arguments if isinstance(arguments, dict) else {"raw_arguments": raw}
