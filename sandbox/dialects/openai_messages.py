"""Reading and checking the `messages` of OpenAI's chat form."""

from typing import Any

from sandbox.dialects import fields
from sandbox.dialects.openai_refusals import OpenAIRefusals
from sandbox.prompt import Transcript, TranscriptBuilder

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_PARTS = ("text", "image_url", "input_audio", "file", "refusal")


def read_messages(messages: list[Any], refusals: OpenAIRefusals) -> Transcript:
    """What was said. Raises a refusal, or WrongType, for messages that are not well formed."""
    if not messages:
        empty = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array."
        raise refusals.wrong_value("messages", empty, "empty_array")
    transcript = TranscriptBuilder()
    for number, entry in enumerate(messages):
        path = f"messages[{number}]"
        message = fields.mapping(entry, path)
        role = message.get("role")
        if role is None:
            raise refusals.missing(f"{path}.role")
        if role not in _ROLES:
            supported = ", ".join(f"'{name}'" for name in _ROLES)
            raise refusals.wrong_value(f"{path}.role", f"Invalid value: '{role}'. Supported values are: {supported}.")
        text = _content(message, path, transcript, refusals)
        if role == "user":
            transcript.user(text)
        elif role in ("tool", "function"):
            if role == "tool" and not isinstance(message.get("tool_call_id"), str):
                raise refusals.missing(f"{path}.tool_call_id")
            transcript.tool(text)
        else:
            transcript.other(text + _called(message, path, refusals))
    return transcript.done()


def _content(message: dict[str, Any], path: str, transcript: TranscriptBuilder, refusals: OpenAIRefusals) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None:
        if message["role"] == "assistant" and (message.get("tool_calls") or "content" in message):
            return ""
        if "content" not in message:
            raise refusals.missing(f"{path}.content")
    parts = fields.array(content, f"{path}.content", "one of a string or array of objects")
    if not parts:
        raise refusals.wrong_value(f"{path}.content", f"Invalid '{path}.content': empty array.", "empty_array")
    return "".join(_part(part, f"{path}.content[{i}]", transcript, refusals) for i, part in enumerate(parts))


def _part(part: Any, path: str, transcript: TranscriptBuilder, refusals: OpenAIRefusals) -> str:
    part = fields.mapping(part, path)
    kind = part.get("type")
    if kind is None:
        raise refusals.missing(f"{path}.type")
    if kind not in _PARTS:
        supported = ", ".join(f"'{name}'" for name in _PARTS)
        raise refusals.wrong_value(f"{path}.type", f"Invalid value: '{kind}'. Supported values are: {supported}.")
    if kind == "text":
        return fields.text(part.get("text"), f"{path}.text")
    if kind == "image_url":
        url = fields.text(
            fields.mapping(part.get("image_url"), f"{path}.image_url").get("url"), f"{path}.image_url.url"
        )
        if not url.startswith(("http://", "https://", "data:image/")):
            message = f"Invalid '{path}.image_url.url'. Expected a valid URL, but got a value with an invalid format."
            raise refusals.wrong_value(f"{path}.image_url.url", message, "invalid_image_url")
        transcript.image()
    return ""


def _called(message: dict[str, Any], path: str, refusals: OpenAIRefusals) -> str:
    """The assistant's earlier tool calls, as text that counts."""
    calls = message.get("tool_calls")
    if calls is None:
        return ""
    written = ""
    for number, entry in enumerate(fields.array(calls, f"{path}.tool_calls", "an array of objects")):
        at = f"{path}.tool_calls[{number}]"
        call = fields.mapping(entry, at)
        if not isinstance(call.get("id"), str):
            raise refusals.missing(f"{at}.id")
        function = fields.mapping(call.get("function"), f"{at}.function")
        name = fields.text(function.get("name"), f"{at}.function.name")
        written += name + fields.text(function.get("arguments"), f"{at}.function.arguments")
    return written
