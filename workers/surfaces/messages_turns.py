"""The turns of an Anthropic conversation as chat messages. Pure; the turns have been checked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workers.reading import mapping, text

# Chat messages of these roles hold one text; a user's may hold parts.
_JOINTS: Mapping[str, str] = {"system": "\n", "tool": "\n", "assistant": ""}


def chat_messages(system: Any, turns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The system prompt and all turns. A cache mark stays on its part, as `cache_control`."""
    messages: list[dict[str, Any]] = []
    if system:
        messages.append({"role": "system", "content": _content("system", _blocks(system))})
    for turn in turns:
        blocks = _blocks(turn["content"])
        match turn["role"]:
            case "assistant":
                messages.append(_assistant(blocks))
            case "system":
                messages.append({"role": "system", "content": _content("system", blocks)})
            case _:
                messages += _user(blocks)
    return messages


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _user(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tool results first, each a message of its own; what else was said, in one."""
    messages: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    for block in blocks:
        if block["type"] != "tool_result":
            said.append(block)
            continue
        inner = _blocks(block.get("content"))
        words = [part for part in inner if part["type"] in ("text", "search_result")]
        messages.append(_result(block, words))
        if len(words) < len(inner):
            # A tool message holds text only: pictures and files follow in the user's name.
            shown = [part for part in inner if part["type"] not in ("text", "search_result")]
            said = [*said, {"type": "text", "text": f"What tool call {block['tool_use_id']} returned:"}, *shown]
    if said or not messages:
        messages.append({"role": "user", "content": _content("user", said)})
    return messages


def _result(block: Mapping[str, Any], words: Sequence[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "tool",
        "tool_call_id": block["tool_use_id"],
        "content": _content("tool", words),
    }
    own = {name: block[name] for name in ("is_error", "cache_control") if block.get(name)}
    if own:
        message["extra_content"] = {"anthropic": own}
    return message


def _assistant(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One assistant message. Signed thinking is carried as the router's own answers carry it."""
    thoughts = [block for block in blocks if block["type"] in ("thinking", "redacted_thinking")]
    # Reasoning of other providers has no signature: Anthropic would refuse it, others may want it back.
    signed = [_bare(block) for block in thoughts if block["type"] != "thinking" or block.get("signature")]
    words = [block for block in blocks if block["type"] == "text" and block["text"]]
    calls = [_call(block) for block in blocks if block["type"] == "tool_use"]
    message: dict[str, Any] = {"role": "assistant", "content": _content("assistant", words)}
    if reasoning := "".join(text(block.get("thinking")) for block in signed or thoughts):
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
        message["content"] = message["content"] or None
    if signed:
        extra = (calls[0] if calls else message).setdefault("extra_content", {})
        extra.setdefault("anthropic", {})["thinking_blocks"] = signed
    return message


def _bare(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "cache_control"}


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(block["input"], separators=(",", ":"))
    call: dict[str, Any] = {
        "id": block["id"],
        "type": "function",
        "function": {"name": block["name"], "arguments": arguments},
    }
    # What other vendors want back (Gemini's thought signature) stands where the answer had it.
    extra = {name: value for name, value in mapping(block.get("extra_content")).items() if name != "anthropic"}
    if mark := block.get("cache_control"):
        extra["anthropic"] = {"cache_control": mark}
    if extra:
        call["extra_content"] = extra
    return call


def _content(role: str, blocks: Sequence[dict[str, Any]]) -> Any:
    """One text where that is all there is to say, else content parts."""
    parts = [part for block in blocks for part in _parts(block)]
    plain = all(part["type"] == "text" and "cache_control" not in part for part in parts)
    if plain and (len(parts) < 2 or role in _JOINTS):
        return _JOINTS.get(role, "").join(part["text"] for part in parts)
    return parts


def _parts(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The content parts of one block; its cache mark is the last one's."""
    match block["type"]:
        case "image":
            parts = [{"type": "image_url", "image_url": {"url": _image_url(block["source"])}}]
        case "document":
            parts = _document(block)
        case "search_result":
            words = "\n".join(inner["text"] for inner in block["content"])
            parts = [{"type": "text", "text": f"{block['title']} ({block['source']})\n{words}"}]
        case _:
            parts = [{"type": "text", "text": block["text"]}]
    if parts and (mark := block.get("cache_control")):
        parts[-1] = {**parts[-1], "cache_control": mark}
    return parts


def _image_url(source: Mapping[str, Any]) -> str:
    if source["type"] == "url":
        return str(source["url"])
    return f"data:{source['media_type']};base64,{source['data']}"


def _document(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    source, title = block["source"], text(block.get("title"))
    named = [words for words in (title, text(block.get("context"))) if words]
    told: list[dict[str, Any]] = [{"type": "text", "text": words} for words in named]
    match source["type"]:
        case "base64":
            data = f"data:{source['media_type']};base64,{source['data']}"
            return [*told, {"type": "file", "file": {"filename": title or "document.pdf", "file_data": data}}]
        case "text":
            return [*told, {"type": "text", "text": source["data"]}]
        case _:
            return [*told, *(part for inner in _blocks(source["content"]) for part in _parts(inner))]
