"""The turns of an Anthropic conversation as JSON Schema: what anthropic_turns.py checks; a test holds them together."""

from typing import Any

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MARK = {"type": ["object", "null"]}
# What is as if not said.
NOTHING: list[Any] = [None, False, 0, "", [], {}]
_PICTURES = ["image/jpeg", "image/png", "image/gif", "image/webp"]


def _block(kind: str, needs: dict[str, Any], **may: Any) -> dict[str, Any]:
    """A block of type `kind`: what it needs, and what of the rest is looked at."""
    told = {"type": {"const": kind}, **needs}
    return {"type": "object", "properties": {**told, "cache_control": _MARK, **may}, "required": list(told)}


def _source(kind: str, **needs: Any) -> dict[str, Any]:
    told = {"type": {"const": kind}, **needs}
    return {"type": "object", "properties": told, "required": list(told)}


def _content(*blocks: dict[str, Any], least: int = 0) -> dict[str, Any]:
    """A text, or a list of these blocks."""
    listed: dict[str, Any] = {"type": "array", "items": {"anyOf": list(blocks)}}
    return {"anyOf": [_TEXT, {**listed, "minItems": least} if least else listed]}


_CITATIONS = {"type": ["object", "null"], "properties": {"enabled": {"enum": NOTHING}}}
_WORDS = _block("text", {"text": _TEXT})
_IMAGE = _block(
    "image",
    {
        "source": {
            "anyOf": [
                _source("url", url={"type": "string", "pattern": "^https?://"}),
                _source("base64", media_type={"enum": _PICTURES}, data=_TEXT),
            ]
        }
    },
)
_DOCUMENT = _block(
    "document",
    {
        "source": {
            "anyOf": [
                _source("base64", media_type={"const": "application/pdf"}, data=_TEXT),
                _source("text", media_type={"const": "text/plain"}, data=_TEXT),
                _source("content", content=_content(_WORDS, _IMAGE)),
            ]
        }
    },
    title=_MAYBE_TEXT,
    context=_MAYBE_TEXT,
    citations=_CITATIONS,
)
_FOUND = _block(
    "search_result",
    {"title": _TEXT, "source": _TEXT, "content": {"type": "array", "items": _WORDS}},
    citations=_CITATIONS,
)
_SHOWN = (_WORDS, _IMAGE, _DOCUMENT, _FOUND)
_RESULT = _block(
    "tool_result",
    {"tool_use_id": _TEXT},
    content={"anyOf": [*_content(*_SHOWN)["anyOf"], {"type": "null"}]},
    is_error={"type": ["boolean", "null"]},
)
_SAID = (
    _WORDS,
    _block("thinking", {"thinking": _TEXT, "signature": _TEXT}),
    _block("redacted_thinking", {"data": _TEXT}),
    _block("tool_use", {"id": _TEXT, "name": {"type": "string", "minLength": 1}, "input": {"type": "object"}}),
)


def _turn(role: str, content: dict[str, Any]) -> dict[str, Any]:
    told = {"role": {"const": role}, "content": content}
    return {"type": "object", "properties": told, "required": list(told)}


SYSTEM: dict[str, Any] = _content(_WORDS)
TURN: dict[str, Any] = {
    "anyOf": [
        _turn("user", _content(*_SHOWN, _RESULT, least=1)),
        _turn("assistant", _content(*_SAID)),
        _turn("system", SYSTEM),
    ]
}
