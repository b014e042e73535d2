"""Reading what an OpenAI-compatible vendor answers: its completions and its errors, whatever their accent."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer, ProviderError
from routing.job import Usage
from workers.providers.base import Account, Completion, Reply
from workers.providers.completion import counted
from workers.providers.reader import count, items, json_text, mapping, objects, printable, text
from workers.providers.retry_after import duration_s
from workers.providers.status import Failure, provider_error, status_within

FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
# What vendors say besides OpenAI's own words.
_FOREIGN_FINISH_REASONS: Mapping[str, str] = {
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
}
# OpenAI's words for a tier; a caller's strict types refuse another (Groq's "on_demand").
_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
# The vendor gave up half-way: what it sent is not an answer (OpenRouter, DeepSeek).
FAILED_FINISH_REASONS = frozenset({"error", "insufficient_system_resource"})


def completion_from(account: Account, model: str, reply: Reply) -> Completion:
    """The completion in a 2xx answer; MalformedAnswer, or the error a vendor wrote into its 200."""
    body = reply.json_object()
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        if body.get("error"):
            raise hidden_error(account, reply, body)
        raise MalformedAnswer(f"{account.name} answered without choices", upstream_status=reply.status)
    for index, choice in enumerate(choices):
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise MalformedAnswer(f"{account.name} answered a choice without a message", upstream_status=reply.status)
        if text(choice.get("finish_reason")) in FAILED_FINISH_REASONS:
            raise hidden_error(account, reply, choice)
        _settle_choice(index, choice)
    return settled(body, model)


def settled(body: dict[str, Any], model: str) -> Completion:
    """A completion of `body`, whose choices are in OpenAI's form already; the rest of it is made sure of, in place."""
    usage, body["usage"] = usage_of(mapping(body.get("usage")))
    body["id"] = text(body.get("id")) or f"chatcmpl-{uuid.uuid4().hex}"
    body["object"] = "chat.completion"
    body["created"] = count(body.get("created")) or int(time.time())
    body["model"] = text(body.get("model")) or model
    if text(body.get("service_tier")) not in _TIERS:
        body.pop("service_tier", None)
    return Completion(body, usage)


def failure_of(reply: Reply) -> Failure:
    """What an error answer says. Beside OpenAI's form: Mistral's flat one, FastAPI's `detail`, a bare string."""
    try:
        return failure_in(reply.json_object())
    except MalformedAnswer:
        return Failure()


def failure_in(body: dict[str, Any]) -> Failure:
    """What an error object says, or the object that holds one as `error`."""
    error = body.get("error", body)
    if not isinstance(error, dict):
        error = {**body, "message": error}
    message = printable(error.get("message")) or printable(error.get("detail"))
    codes = tuple(code for name in ("code", "type") if (code := printable(error.get(name), 100)))
    hint = error.get("estimated_time")
    return Failure(
        message=message,
        codes=codes,
        param=printable(error.get("param"), 200) or None,
        # Hugging Face, while a model is loading.
        retry_after_s=duration_s(f"{hint}s") if isinstance(hint, int | float) else None,
    )


def hidden_error(account: Account, reply: Reply, holder: dict[str, Any]) -> ProviderError:
    """The error in a 200, in its body or its stream (OpenRouter writes the upstream's status as its code)."""
    failure = failure_in(holder)
    return provider_error(account, reply, failure, status_within(mapping(holder.get("error", holder)), failure.codes))


def finish_reason(reason: str, *, calls: bool) -> str:
    """A vendor's reason in OpenAI's words; `calls`: the choice has tool calls."""
    if reason not in FINISH_REASONS:
        reason = _FOREIGN_FINISH_REASONS.get(reason, "stop")
    # Several vendors say "stop" beside tool calls.
    return "tool_calls" if calls and reason == "stop" else reason


def _settle_choice(index: int, choice: dict[str, Any]) -> None:
    """Bring one choice into OpenAI's form, in place."""
    message = choice["message"]
    choice["index"] = index
    message["role"] = "assistant"
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        settle_content(message, content)
    for holder, name in ((message, "content"), (message, "refusal"), (choice, "logprobs")):
        # OpenAI requires them, null or not.
        holder.setdefault(name, None)
    if "reasoning" in message:
        # Groq, OpenRouter and vLLM name it so.
        reasoning = text(message.pop("reasoning"))
        if reasoning and not text(message.get("reasoning_content")):
            message["reasoning_content"] = reasoning
    calls = message.get("tool_calls")
    if calls:
        message["tool_calls"] = calls = _tool_calls(calls)
    elif "tool_calls" in message:
        del message["tool_calls"]
    choice["finish_reason"] = finish_reason(text(choice.get("finish_reason")), calls=bool(calls))


def settle_content(message: dict[str, Any], content: Any) -> None:
    """Text and thinking of a content given as parts (Mistral's reasoning models)."""
    if not isinstance(content, list):
        raise MalformedAnswer("the answer's content is neither text nor parts")
    parts = objects(content)
    message["content"] = "".join(text(part.get("text")) for part in parts if part.get("type") == "text")
    thinking = "".join(text(thought.get("text")) for part in parts for thought in objects(items(part.get("thinking"))))
    if thinking:
        message["reasoning_content"] = thinking


def _tool_calls(calls: Any) -> list[dict[str, Any]]:
    """The tool calls of a message; MalformedAnswer where one names no function."""
    if not isinstance(calls, list):
        raise MalformedAnswer("the answer's tool_calls are not a list")
    for call in calls:
        if not isinstance(call, dict):
            raise MalformedAnswer("the answer has a tool call that is not an object")
        if call.get("type") in (None, "function"):
            function = mapping(call.get("function"))
            if not text(function.get("name")):
                raise MalformedAnswer("the answer has a tool call without a function's name")
            arguments = function.get("arguments")
            if not isinstance(arguments, str):
                function["arguments"] = "{}" if arguments is None else json_text(arguments)
            call["type"] = "function"
        call["id"] = text(call.get("id")) or f"call_{uuid.uuid4().hex[:24]}"
    return calls


def usage_of(usage: dict[str, Any]) -> tuple[Usage, dict[str, Any]]:
    """The usage as counted, and as the caller is shown it: the vendor's own object with the counts made sure of."""
    prompt = count(usage.get("prompt_tokens"))
    completion = count(usage.get("completion_tokens"))
    prompt_details = mapping(usage.get("prompt_tokens_details"))
    completion_details = mapping(usage.get("completion_tokens_details"))
    # DeepSeek counts its cache beside the prompt.
    cached = count(prompt_details.get("cached_tokens")) or count(usage.get("prompt_cache_hit_tokens"))
    reasoning = count(completion_details.get("reasoning_tokens"))
    if reasoning and count(usage.get("total_tokens")) == prompt + completion + reasoning:
        # xAI counts the reasoning beside the completion.
        completion += reasoning
    counts = counted(prompt=prompt, completion=completion, cached=cached, reasoning=reasoning)
    shown = {
        **usage,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {**prompt_details, "cached_tokens": counts.cached_tokens},
        "completion_tokens_details": {**completion_details, "reasoning_tokens": counts.reasoning_tokens},
    }
    return counts, shown
