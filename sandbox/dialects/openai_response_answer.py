"""An answer as OpenAI's `response` object: reasoning, the calls of its own tools, a message, calls of the caller's."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.answer import Answer, Finish
from sandbox.logprobs import openai_steps
from sandbox.prompt import Prompt, ResponseWish

if TYPE_CHECKING:
    from sandbox.dialects.openai import OpenAI

_DEFAULTS: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_PICTURE = "iVBORw0KGgo="


def response(dialect: "OpenAI", prompt: Prompt, answer: Answer) -> dict[str, Any]:
    """The whole response."""
    shown = opened(dialect, prompt)
    cut = answer.finish is Finish.LENGTH
    return shown | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": items(dialect, prompt, answer),
        "usage": {
            "input_tokens": answer.prompt_tokens,
            "input_tokens_details": {"cached_tokens": answer.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": answer.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        },
    }


def opened(dialect: "OpenAI", prompt: Prompt) -> dict[str, Any]:
    """The response before it has said anything."""
    wish = prompt.response or ResponseWish()
    return {
        "id": dialect.identifiers.new("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": prompt.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
        **_DEFAULTS,
        **wish.repeated,
    }


def items(dialect: "OpenAI", prompt: Prompt, answer: Answer) -> list[dict[str, Any]]:
    """What the model thought, looked up, said and wants called."""
    new, wish = dialect.identifiers.new, prompt.response or ResponseWish()
    told: list[dict[str, Any]] = []
    if answer.reasoning_tokens:
        summary = [{"type": "summary_text", "text": answer.reasoning}] if _shows_reasoning(wish, answer) else []
        told.append({"id": new("rs_"), "type": "reasoning", "summary": summary, "encrypted_content": "c2VhbGVk"})
    told += [_hosted(kind, prompt, new) for kind in wish.hosted]
    for name in wish.custom:
        made = {"id": new("ctc_"), "type": "custom_tool_call", "status": "completed", "call_id": new("call_")}
        told.append({**made, "name": name, "input": f"sample {name}"})
    if not wish.custom and (answer.text or answer.refusal is not None or not answer.tool_calls):
        told.append(_message(prompt, answer, new("msg_")))
    for call in answer.tool_calls:
        shown = {"id": new("fc_"), "type": "function_call", "status": "completed", "call_id": new("call_")}
        told.append({**shown, "name": call.name, "arguments": call.json})
    return told


def _shows_reasoning(wish: ResponseWish, answer: Answer) -> bool:
    """OpenAI keeps it to itself unless a summary is asked for."""
    wanted = wish.repeated.get("reasoning")
    return bool(answer.reasoning and isinstance(wanted, Mapping) and wanted.get("summary"))


def _message(prompt: Prompt, answer: Answer, identifier: str) -> dict[str, Any]:
    status = "incomplete" if answer.finish is Finish.LENGTH else "completed"
    part: dict[str, Any] = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
    if prompt.logprobs is not None:
        part["logprobs"] = openai_steps(answer.text, prompt.logprobs)
    if answer.refusal is not None:
        part = {"type": "refusal", "refusal": answer.refusal}
    elif prompt.response is not None and any(kind.startswith("web_search") for kind in prompt.response.hosted):
        cited = {"type": "url_citation", "start_index": 0, "end_index": len(answer.text), "title": "Example"}
        part["annotations"] = [{**cited, "url": "https://example.com/"}]
    return {"id": identifier, "type": "message", "status": status, "role": "assistant", "content": [part]}


def _hosted(kind: str, prompt: Prompt, new: Callable[[str], str]) -> dict[str, Any]:
    asked = prompt.transcript.last_user_text[:100]
    if kind.startswith("web_search"):
        action = {"type": "search", "query": asked}
        return {"id": new("ws_"), "type": "web_search_call", "status": "completed", "action": action}
    if kind == "file_search":
        return {
            "id": new("fs_"),
            "type": "file_search_call",
            "status": "completed",
            "queries": [asked],
            "results": None,
        }
    if kind == "code_interpreter":
        call = {"id": new("ci_"), "type": "code_interpreter_call", "status": "completed", "code": "print(1)"}
        return {**call, "container_id": new("cntr_"), "outputs": None}
    return {"id": new("ig_"), "type": "image_generation_call", "status": "completed", "result": _PICTURE}
