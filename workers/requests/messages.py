"""The messages of a chat: one field that checks them all in one pass.

A schema per message would cost more than the rest of the request's validation, and messages are what a chat is made of.
"""

from typing import Any

from marshmallow import ValidationError

from workers.requests.fields import JsonField
from workers.requests.message_shape import MESSAGE

MAX_MESSAGES = 4096
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
# What an assistant's turn may consist of besides text.
_ASSISTANT_PARTS = ("content", "tool_calls", "function_call", "refusal", "audio")
_PART_FIELDS = {"text": "text", "refusal": "refusal", "input_audio": "input_audio", "file": "file"}


class Messages(JsonField[list[Any]]):
    """A non-empty list of messages, each with a role and what that role needs."""

    def json_schema(self) -> dict[str, Any]:
        """The list; message_shape.py has what stands in it."""
        return {"type": "array", "minItems": 1, "maxItems": MAX_MESSAGES, "items": MESSAGE}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:  # noqa: ARG002
        if not isinstance(value, list):
            raise ValidationError("must be a list of messages")
        if not 1 <= len(value) <= MAX_MESSAGES:
            raise ValidationError(f"must hold 1 to {MAX_MESSAGES} messages")
        for index, message in enumerate(value):
            try:
                _check_message(message)
            except ValidationError as error:
                raise ValidationError({index: error.messages}) from None
        return value


def _check_message(message: Any) -> None:
    if not isinstance(message, dict):
        raise ValidationError("must be an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        _fail("role", f"must be one of {', '.join(sorted(ROLES))}")
    content = message.get("content")
    if isinstance(content, list):
        _check_parts(content)
    elif content is not None and not isinstance(content, str):
        _fail("content", "must be a string or a list of content parts")
    if role == "assistant":
        _check_assistant(message)
    elif content is None:
        _fail("content", "is missing")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        _fail("tool_call_id", "is missing: a tool message answers a tool call")
    if not isinstance(message.get("name", ""), str | None):
        _fail("name", "must be a string")


def _check_assistant(message: dict[str, Any]) -> None:
    if all(message.get(part) is None for part in _ASSISTANT_PARTS):
        _fail("content", "is missing: an assistant message needs content or tool_calls")
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list):
        _fail("tool_calls", "must be a list")
    for index, call in enumerate(calls):
        if problem := _call_problem(call):
            _fail("tool_calls", {index: problem})


def _call_problem(call: Any) -> Any:
    """What is wrong with an earlier tool call: a model is shown its own words, so they must be text."""
    if not isinstance(call, dict):
        return ["must be an object"]
    if not isinstance(call.get("id"), str):
        return {"id": ["must be a string"]}
    function = call.get("function")
    if not isinstance(function, dict):
        return {"function": ["must be an object"]}
    for name in ("name", "arguments"):
        if not isinstance(function.get(name), str):
            return {"function": {name: ["must be a string"]}}
    return None


def _check_parts(parts: list[Any]) -> None:
    if not parts:
        _fail("content", "must hold at least one content part")
    for index, part in enumerate(parts):
        if problem := _part_problem(part):
            _fail("content", {index: [problem]})


def _part_problem(part: Any) -> str | None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return "must be an object with a type"
    kind = part["type"]
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
            return "image_url.url must be an http, https or data URL"
    elif kind in ("text", "refusal") and not isinstance(part.get(kind), str):
        return f"{kind} must be a string"
    elif kind in _PART_FIELDS and part.get(_PART_FIELDS[kind]) is None:
        return f"{_PART_FIELDS[kind]} is missing"
    return None


def _fail(name: str, problem: Any) -> None:
    raise ValidationError({name: problem if isinstance(problem, dict) else [problem]})
