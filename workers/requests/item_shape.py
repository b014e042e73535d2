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
    return _told({"type": {"const": kind}, **needs}, **{name: of for name, of in may.items() if name not in needs})


def _item(kind: str, needs: dict[str, Any], **may: Any) -> dict[str, Any]:
    return _told({"type": {"const": kind}, **needs}, id=_MAYBE_TEXT, status=_MAYBE_TEXT, **may)


def _list(*parts: dict[str, Any], least: int = 0) -> dict[str, Any]:
    listed: dict[str, Any] = {"type": "array", "items": {"anyOf": list(parts)}}
    return {**listed, "minItems": least} if least else listed


_WORDS = _part("input_text", {"text": _TEXT})
_DETAIL = {"enum": ["auto", "low", "high", "original", None]}
_FILE = {"file_data": _MAYBE_TEXT, "file_id": _MAYBE_TEXT, "file_url": _MAYBE_TEXT, "filename": _MAYBE_TEXT}
_KINDS = ["input_text", "input_image", "input_file", "input_audio", "output_text", "refusal"]
# What only a provider's own Responses endpoint knows.
_OTHER_PART = _told({"type": {"type": "string", "minLength": 1, "not": {"enum": _KINDS}}})
_GIVEN = _list(
    _WORDS,
    _part("input_image", {"image_url": _URL}, file_id=_MAYBE_TEXT, detail=_DETAIL),
    _part("input_image", {"file_id": _TEXT}, image_url={"anyOf": [_URL, _NOTHING]}, detail=_DETAIL),
    *(_part("input_file", {name: _TEXT}, **_FILE) for name in ("file_data", "file_id", "file_url")),
    _part("input_audio", {"input_audio": _told({"data": _TEXT, "format": _TEXT})}),
    _OTHER_PART,
    least=1,
)
_SPOKEN = _list(_part("output_text", {"text": _TEXT}), _part("refusal", {"refusal": _TEXT}), _WORDS, _OTHER_PART)


def _message(roles: list[str], parts: dict[str, Any]) -> dict[str, Any]:
    """The one kind of item that need not name its type."""
    said = {"role": {"enum": roles}, "content": {"anyOf": [_TEXT, parts]}}
    return _told(said, type={"enum": ["message", None]}, id=_MAYBE_TEXT, status=_MAYBE_TEXT, extra_content=_EXTRA)


def _thoughts(kind: str) -> dict[str, Any]:
    return {"anyOf": [_list(_part(kind, {"text": _TEXT})), _NOTHING]}


_KNOWN = ["message", "reasoning", "function_call", "function_call_output", "item_reference"]
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
        _told({"type": {"const": "item_reference"}, "id": _TEXT}, status=_MAYBE_TEXT),
        {**_told({"id": _TEXT}, type=_NOTHING, status=_MAYBE_TEXT), "not": {"required": ["role"]}},
        _told(
            {"type": {"type": "string", "minLength": 1, "not": {"enum": _KNOWN}}},
            id=_MAYBE_TEXT,
            status=_MAYBE_TEXT,
        ),
    ]
}
