"""A conversation in Anthropic's words: `system` and alternating turns, from OpenAI's messages."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.providers.content import Inline, Linked, Part, Text, parts_of, words_of
from workers.providers.reader import mapping, objects, text
from workers.providers.rules import inexpressible
from workers.providers.tools import tool_calls

_FOREIGN_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(slots=True)
class Conversation:
    """What has been translated so far."""

    system: list[dict[str, Any]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)


def conversation(messages: Any) -> Conversation:
    """The translated `messages`: system and developer messages gathered into one prompt, turns alternating.

    Raises NotExpressible where no turn is left, the first is not the user's, or a turn holds what has no words.
    """
    told = Conversation()
    for index, message in enumerate(objects(messages)):
        where = f"messages[{index}]"
        role = message.get("role")
        if role in ("system", "developer"):
            told.system += _system(message, where)
        elif role == "user":
            _say(told, "user", [_block(part, where) for part in parts_of(message, where)])
        elif role == "assistant":
            _say(told, "assistant", _assistant_blocks(message, where))
        elif role == "tool":
            _say(told, "user", [_result(message, where)])
        else:
            raise inexpressible(where, f"the role {role!r} is not known")
    if not told.turns or told.turns[0]["role"] != "user":
        raise inexpressible("messages", "the first turn must be the user's, and not empty")
    return told


def thinking_can_go_on(turns: list[dict[str, Any]]) -> bool:
    """Whether thinking may be switched on: a tool loop that began without thinking must end without it."""
    if not any(block["type"] == "tool_result" for block in turns[-1]["content"]):
        return True
    last_call = turns[-2]["content"] if len(turns) > 1 else []
    return bool(last_call) and last_call[0]["type"] in ("thinking", "redacted_thinking")


def _say(told: Conversation, role: str, blocks: list[dict[str, Any]]) -> None:
    if not blocks:
        return
    if told.turns and told.turns[-1]["role"] == role:
        told.turns[-1]["content"] += blocks
    else:
        told.turns.append({"role": role, "content": blocks})


def _system(message: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The prompt as one block; part by part where one of them is marked for the cache."""
    words = words_of(message, where)
    parts = parts_of(message, where)
    if any(part.mark for part in parts):
        return [_block(part, where) for part in parts]
    return [{"type": "text", "text": words}] if words else []


def _assistant_blocks(message: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    calls = tool_calls(message, where)
    extras = [mapping(message.get("extra_content")), *(call.extra for call in calls)]
    thoughts = [block for extra in extras for block in objects(mapping(extra.get("anthropic")).get("thinking_blocks"))]
    # Streams number them; Anthropic knows no such field.
    blocks = [{name: value for name, value in block.items() if name != "index"} for block in thoughts]
    blocks += [_block(part, where) for part in parts_of(message, where)]
    if not blocks and (refusal := text(message.get("refusal"))):
        blocks.append({"type": "text", "text": refusal})
    for call in calls:
        use = {"type": "tool_use", "id": _call_id(call.call_id), "name": call.name, "input": call.arguments}
        blocks.append(use | _own(call.extra, "cache_control"))
    return blocks


def _own(extra: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a message or a call carries for Anthropic alone."""
    own = mapping(extra.get("anthropic"))
    return {name: own[name] for name in names if own.get(name)}


def _result(message: Mapping[str, Any], where: str) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": _call_id(text(message.get("tool_call_id")))}
    parts = [_block(part, where) for part in parts_of(message, where)]
    if parts:
        block["content"] = parts
    return block | _own(mapping(message.get("extra_content")), "is_error", "cache_control")


def _call_id(call_id: str) -> str:
    """A call's id in the characters Anthropic allows; the same for a call and its result, and for no other id."""
    allowed = _FOREIGN_IN_ID.sub("_", call_id)
    if allowed == call_id and call_id:
        return call_id
    return f"{allowed}_{zlib.crc32(call_id.encode('utf-8', 'replace')):08x}"


def _block(part: Part, where: str) -> dict[str, Any]:
    block = _bare_block(part, where)
    return {**block, "cache_control": part.mark} if part.mark else block


def _bare_block(part: Part, where: str) -> dict[str, Any]:
    match part:
        case Text(words):
            return {"type": "text", "text": words}
        case Linked(url):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case Inline(media_type, data):
            source = {"type": "base64", "media_type": media_type, "data": data}
            if media_type.startswith("image/"):
                return {"type": "image", "source": source}
            if media_type == "application/pdf":
                return {"type": "document", "source": source}
            raise inexpressible(f"{where}.content", f"it takes pictures and PDF, not {media_type}")
