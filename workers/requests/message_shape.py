"""A message of a chat as JSON Schema: the same that messages.py checks, and a test holds the two together."""

from typing import Any

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_GIVEN = {"not": {"type": "null"}}


def _with(**properties: Any) -> dict[str, Any]:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _part(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return _with(type={"const": kind}, **{kind: value})


_URL = {"type": "string", "pattern": "^(https?://|data:)"}
_PART = {
    "anyOf": [
        _part("text", _TEXT),
        _part("image_url", _with(url=_URL)),
        _part("input_audio", _GIVEN),
        _part("file", _GIVEN),
        _part("refusal", _TEXT),
        {
            **_with(type={**_TEXT, "not": {"enum": ["text", "image_url", "input_audio", "file", "refusal"]}}),
            "description": "Any other part is the provider's business.",
        },
    ]
}
_CONTENT = {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _PART}]}
_CALL = _with(id=_TEXT, function=_with(name=_TEXT, arguments=_TEXT))


def _turn(roles: list[str], needs: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"role": {"enum": roles}, "content": _CONTENT, "name": _MAYBE_TEXT, **properties},
        "required": ["role", *needs],
    }


_ASSISTANT = _turn(
    ["assistant"],
    (),
    content={"anyOf": [*_CONTENT["anyOf"], {"type": "null"}]},
    tool_calls={"type": ["array", "null"], "items": _CALL},
)
# An assistant says something, in one of these.
_ASSISTANT["anyOf"] = [
    {"properties": {said: _GIVEN}, "required": [said]}
    for said in ("content", "tool_calls", "function_call", "refusal", "audio")
]

MESSAGE: dict[str, Any] = {
    "anyOf": [
        _turn(["user", "system", "developer", "function"], ("content",)),
        _ASSISTANT,
        _turn(["tool"], ("content", "tool_call_id"), tool_call_id=_TEXT),
    ]
}
