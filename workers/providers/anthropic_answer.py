"""Reading what Anthropic answers: a Message or an error object, into OpenAI's form."""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.anthropic_request import JSON_TOOL
from workers.providers.base import Account, Completion, Reply
from workers.providers.completion import choice_of, completion_of, counted, message_of
from workers.providers.reader import count, json_text, mapping, objects, printable, text
from workers.providers.status import Failure

FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def completion_from(account: Account, model: str, reply: Reply) -> Completion:
    """The completion in a 2xx answer; MalformedAnswer where it is no Message."""
    body = reply.json_object()
    if body.get("type") != "message" or not isinstance(body.get("content"), list):
        raise MalformedAnswer(
            f"{account.name} answered with something that is no Message", upstream_status=reply.status
        )
    blocks = objects(body["content"])
    words = "".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
    thoughts = [block for block in blocks if block.get("type") in ("thinking", "redacted_thinking")]
    reasoning = "".join(text(block.get("thinking")) for block in thoughts)
    uses = [block for block in blocks if block.get("type") == "tool_use"]
    # JSON mode: the stand-in tool's input is the answer's text.
    answers = [json_text(mapping(use.get("input"))) for use in uses if use.get("name") == JSON_TOOL]
    calls = [_tool_call(use) for use in uses if use.get("name") != JSON_TOOL]
    if calls and thoughts:
        # Anthropic wants its thinking back, unchanged, while a tool loop lasts.
        calls[0]["extra_content"] = {"anthropic": {"thinking_blocks": thoughts}}
    finish = FINISH_REASONS.get(text(body.get("stop_reason")), "stop")
    if finish == "tool_calls" and not calls:
        finish = "stop"
    message = message_of(
        answers[0] if answers else words,
        reasoning=reasoning,
        tool_calls=calls,
        refusal=refusal_in(body) if finish == "content_filter" and not words else None,
    )
    if thoughts and not calls:
        message["extra_content"] = {"anthropic": {"thinking_blocks": thoughts}}
    choice = choice_of(0, message, finish)
    if sequence := text(body.get("stop_sequence")):
        # The name that vLLM gives it.
        choice["stop_reason"] = sequence
    return completion_of(
        [choice],
        usage_of(mapping(body.get("usage"))),
        model=text(body.get("model")) or model,
        answer_id=text(body.get("id")),
    )


def failure_of(reply: Reply) -> Failure:
    """What an error answer says: `error.details.error_code`, where there is one, before `error.type`."""
    try:
        return failure_in(mapping(reply.json_object().get("error")))
    except MalformedAnswer:
        return Failure()


def failure_in(error: dict[str, Any]) -> Failure:
    """What an error object says, of an answer or of a stream."""
    codes = (mapping(error.get("details")).get("error_code"), error.get("type"))
    return Failure(
        message=printable(error.get("message")), codes=tuple(name for code in codes if (name := printable(code, 100)))
    )


def _tool_call(use: dict[str, Any]) -> dict[str, Any]:
    name, call_id = text(use.get("name")), text(use.get("id"))
    if not name or not call_id:
        raise MalformedAnswer("the answer has a tool_use without a name or an id")
    arguments = json_text(mapping(use.get("input")))
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def refusal_in(body: dict[str, Any]) -> str:
    """Why the model refused, as a Message or its last delta tells."""
    details = mapping(body.get("stop_details"))
    return printable(details.get("explanation")) or printable(details.get("category")) or "the model refused to answer"


def usage_of(usage: dict[str, Any]) -> Usage:
    """Anthropic counts what was read from and written to its cache beside the input; OpenAI within."""
    cached = count(usage.get("cache_read_input_tokens"))
    return counted(
        prompt=count(usage.get("input_tokens")) + cached + count(usage.get("cache_creation_input_tokens")),
        completion=count(usage.get("output_tokens")),
        cached=cached,
        reasoning=count(mapping(usage.get("output_tokens_details")).get("thinking_tokens")),
    )
