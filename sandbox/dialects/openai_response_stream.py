"""`response.*` events: the response opens, each item opens, grows token by token and closes, the response ends."""

import json
from typing import TYPE_CHECKING, Any

from sandbox import tokens
from sandbox.answer import Answer
from sandbox.dialects.openai_response_answer import response
from sandbox.prompt import Prompt

if TYPE_CHECKING:
    from sandbox.dialects.openai import OpenAI

_STEPS = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "file_search_call": ("in_progress", "searching", "completed"),
    "code_interpreter_call": ("in_progress", "interpreting", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
}
# Where a call's words stand, and what the events of its words are called.
_WRITTEN = {
    "function_call": ("arguments", "function_call_arguments"),
    "custom_tool_call": ("input", "custom_tool_call_input"),
}


def response_events(dialect: "OpenAI", prompt: Prompt, answer: Answer) -> list[bytes]:
    """The events of an answer, numbered."""
    whole = response(dialect, prompt, answer)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    told = [{"type": f"response.{step}", "response": begun} for step in ("created", "in_progress")]
    for index, item in enumerate(whole["output"]):
        told += _item(index, item)
    told.append({"type": f"response.{whole['status']}", "response": whole})
    return [event({**body, "sequence_number": number}) for number, body in enumerate(told)]


def event(body: dict[str, Any]) -> bytes:
    """One event."""
    return f"event: {body['type']}\ndata: {json.dumps(body)}\n\n".encode()


def _item(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    kind, place = item["type"], {"output_index": index}
    at = {**place, "item_id": item["id"]}
    inside: list[dict[str, Any]] = []
    empty: dict[str, Any] = {}
    if kind == "message":
        empty = {"content": []}
        inside = _part(at, item["content"][0])
    elif kind == "reasoning":
        empty = {"summary": [], "encrypted_content": None}
        for number, part in enumerate(item["summary"]):
            inside += _summary({**at, "summary_index": number}, part["text"])
    elif kind in _WRITTEN:
        name, events = _WRITTEN[kind]
        empty = {name: ""}
        inside = [{"type": f"response.{events}.delta", **at, "delta": piece} for piece in tokens.split(item[name])]
        done = {"type": f"response.{events}.done", **at, name: item[name]}
        inside.append({**done, "name": item["name"]} if kind == "function_call" else done)
    else:
        empty = {"result": None} if "result" in item else {}
        inside = [{"type": f"response.{kind}.{step}", **at} for step in _STEPS[kind]]
    status = {"status": "in_progress"} if "status" in item else {}
    return [
        {"type": "response.output_item.added", **place, "item": {**item, **empty, **status}},
        *inside,
        {"type": "response.output_item.done", **place, "item": item},
    ]


def _part(at: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    at = {**at, "content_index": 0}
    refused = part["type"] == "refusal"
    name = "refusal" if refused else "text"
    events = "response.refusal" if refused else "response.output_text"
    extra: dict[str, Any] = {} if refused else {"logprobs": []}
    added = {**part, name: ""} | ({} if refused else {"annotations": []})
    told: list[dict[str, Any]] = [{"type": "response.content_part.added", **at, "part": added}]
    told += [{"type": f"{events}.delta", **at, "delta": piece, **extra} for piece in tokens.split(part[name])]
    for number, source in enumerate(part.get("annotations") or ()):
        cited = {"annotation_index": number, "annotation": source}
        told.append({"type": "response.output_text.annotation.added", **at, **cited})
    told.append({"type": f"{events}.done", **at, name: part[name], **extra})
    return [*told, {"type": "response.content_part.done", **at, "part": part}]


def _summary(at: dict[str, Any], words: str) -> list[dict[str, Any]]:
    kind = "response.reasoning_summary"
    part = {"type": "summary_text", "text": words}
    return [
        {"type": f"{kind}_part.added", **at, "part": {**part, "text": ""}},
        *({"type": f"{kind}_text.delta", **at, "delta": piece} for piece in tokens.split(words)),
        {"type": f"{kind}_text.done", **at, "text": words},
        {"type": f"{kind}_part.done", **at, "part": part},
    ]
