"""The items of a response's input as JSON Schema: what response_input.py checks; a test holds the two together."""

from typing import Any

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_EXTRA = {"type": ["object", "null"]}
_NOTHING = {"type": "null"}
_URL = {"type": "string", "pattern": "^(https?://|data:)"}


def _told(needs: dict[str, Any], **may: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**needs, **may}, "required": list(needs)}


def _part(kind: str, needs: dict[str, Any], **may: Any) -> dict[str, Any]:
    return _told({"type": {"const": kind}, **needs}, **may)


def _item(kind: str, needs: dict[str, Any], **may: Any) -> dict[str, Any]:
    return _told({"type": {"const": kind}, **needs}, id=_MAYBE_TEXT, status=_MAYBE_TEXT, **may)


def _list(*parts: dict[str, Any], least: int = 0) -> dict[str, Any]:
    listed: dict[str, Any] = {"type": "array", "items": {"anyOf": list(parts)}}
    return {**listed, "minItems": least} if least else listed


_WORDS = _part("input_text", {"text": _TEXT})
_GIVEN = _list(
    _WORDS,
    _part(
        "input_image",
        {"image_url": _URL},
        file_id=_NOTHING,
        detail={"enum": ["auto", "low", "high", "original", None]},
    ),
    _part("input_file", {"file_data": _TEXT}, file_id=_NOTHING, file_url=_NOTHING, filename=_MAYBE_TEXT),
    _part("input_audio", {"input_audio": _told({"data": _TEXT, "format": _TEXT})}),
    least=1,
)
_SPOKEN = _list(_part("output_text", {"text": _TEXT}), _part("refusal", {"refusal": _TEXT}), _WORDS)


def _message(roles: list[str], parts: dict[str, Any]) -> dict[str, Any]:
    """The one kind of item that need not name its type."""
    said = {"role": {"enum": roles}, "content": {"anyOf": [_TEXT, parts]}}
    return _told(said, type={"enum": ["message", None]}, id=_MAYBE_TEXT, status=_MAYBE_TEXT, extra_content=_EXTRA)


def _thoughts(kind: str) -> dict[str, Any]:
    return {"anyOf": [_list(_part(kind, {"text": _TEXT})), _NOTHING]}


ITEM: dict[str, Any] = {
    "anyOf": [
        _message(["user", "system", "developer"], _GIVEN),
        _message(["assistant"], _SPOKEN),
        _item(
            "reasoning",
            {},
            summary=_thoughts("summary_text"),
            content=_thoughts("reasoning_text"),
            reasoning_details={"type": ["array", "null"]},
        ),
        _item("function_call", {"call_id": _TEXT, "name": _TEXT, "arguments": _TEXT}, extra_content=_EXTRA),
        _item("function_call_output", {"call_id": _TEXT, "output": {"anyOf": [_TEXT, _GIVEN]}}),
    ]
}
