"""Anthropic's cache marks, taken out of a request that goes to a vendor which refuses what it does not know."""

from collections.abc import Mapping
from typing import Any

from workers.providers.reader import objects, text

_MARK = "cache_control"


def without_marks(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with bare tools and parts; what was in parts only for its marks' sake is one text again."""
    bare = {**body, "messages": [_message(message) for message in objects(body.get("messages"))]}
    if tools := objects(body.get("tools")):
        bare["tools"] = [_bare(tool) for tool in tools]
    return bare


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_bare(part) for part in objects(content)]
    if message.get("role") != "user" and all(part.get("type") == "text" for part in parts):
        joint = "" if message.get("role") == "assistant" else "\n"
        return {**message, "content": joint.join(text(part.get("text")) for part in parts)}
    return {**message, "content": parts}


def _bare(value: dict[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != _MARK}
