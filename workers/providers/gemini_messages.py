"""A conversation in Gemini's words: `contents` and `systemInstruction`, from OpenAI's messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.providers.content import Inline, Linked, Part, Text, parts_of, words_of
from workers.providers.reader import mapping, objects, text
from workers.providers.rules import inexpressible
from workers.providers.tools import tool_calls

# Google's documented stand-in for calls that another model made (ai.google.dev, Thought signatures).
FOREIGN_SIGNATURE = "skip_thought_signature_validator"

_MEDIA_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
}


@dataclass(slots=True)
class Conversation:
    """What has been translated so far."""

    system: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    # Gemini names the function in a result; OpenAI gives only the call's id.
    names: dict[str, str] = field(default_factory=dict)


def conversation(messages: Any, *, signed: bool) -> Conversation:
    """The translated `messages`. `signed`: the model refuses function calls without a thought signature.

    System and developer messages are gathered into one instruction. Raises NotExpressible where no turn is
    left, or for what a turn cannot hold.
    """
    told = Conversation()
    for index, message in enumerate(objects(messages)):
        where = f"messages[{index}]"
        role = message.get("role")
        if role in ("system", "developer"):
            words = words_of(message, where)
            told.system += [{"text": words}] if words else []
        elif role == "user":
            _say(told, "user", [_part(part) for part in parts_of(message, where)])
        elif role == "assistant":
            _say(told, "model", _model_parts(told, message, where, signed=signed))
        elif role == "tool":
            _say(told, "user", [_result(told, message, where)])
        else:
            raise inexpressible(where, f"the role {role!r} is not known")
    if not told.contents:
        raise inexpressible("messages", "a conversation needs a turn that is not empty")
    return told


def _say(told: Conversation, role: str, parts: list[dict[str, Any]]) -> None:
    """Add a turn, or lengthen the last one: function calls and their results must follow each other turn by turn."""
    if not parts:
        return
    if told.contents and told.contents[-1]["role"] == role:
        last = told.contents[-1]["parts"]
        # Results stand in a turn of their own: their number must be that of the calls.
        if ("functionResponse" in last[-1]) == ("functionResponse" in parts[0]):
            last += parts
            return
    told.contents.append({"role": role, "parts": parts})


def _model_parts(told: Conversation, message: Mapping[str, Any], where: str, *, signed: bool) -> list[dict[str, Any]]:
    parts = [_part(part) for part in parts_of(message, where)]
    if not parts and (refusal := text(message.get("refusal"))):
        parts = [{"text": refusal}]
    signature = _signature(mapping(message.get("extra_content")))
    if parts and signature:
        parts[-1]["thoughtSignature"] = signature
    for position, call in enumerate(tool_calls(message, where)):
        told.names[call.call_id] = call.name
        part: dict[str, Any] = {"functionCall": {"name": call.name, "args": call.arguments}}
        if call.call_id:
            part["functionCall"]["id"] = call.call_id
        signature = _signature(call.extra)
        if not signature and signed and position == 0:
            signature = FOREIGN_SIGNATURE
        if signature:
            part["thoughtSignature"] = signature
        parts.append(part)
    return parts


def _signature(extra: dict[str, Any]) -> str:
    return text(mapping(extra.get("google")).get("thought_signature"))


def _result(told: Conversation, message: Mapping[str, Any], where: str) -> dict[str, Any]:
    call_id = text(message.get("tool_call_id"))
    name = told.names.get(call_id) or text(message.get("name"))
    if not name:
        raise inexpressible(f"{where}.tool_call_id", "no earlier message made that call")
    response = {"name": name, "response": {"output": words_of(message, where)}}
    return {"functionResponse": {"id": call_id, **response} if call_id else response}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text(words):
            return {"text": words}
        case Inline(media_type, data):
            return {"inlineData": {"mimeType": media_type, "data": data}}
        case Linked(url):
            suffix = url.partition("?")[0].rpartition(".")[2].lower()
            known = {"mimeType": _MEDIA_TYPES[suffix]} if suffix in _MEDIA_TYPES else {}
            return {"fileData": {**known, "fileUri": url}}
