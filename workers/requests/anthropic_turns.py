"""The turns of an Anthropic conversation: one field that checks them all in one pass, block by block."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from marshmallow import ValidationError

from workers.requests.fields import JsonField
from workers.requests.messages import MAX_MESSAGES
from workers.requests.turn_shape import SYSTEM, TURN

# The media types that the Messages API takes as a picture.
_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_SHOWN = ("text", "image", "document", "search_result")
_BLOCKS: Mapping[str, tuple[str, ...]] = {
    "user": (*_SHOWN, "tool_result"),
    "assistant": ("text", "thinking", "redacted_thinking", "tool_use"),
    "system": ("text",),
}
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "tool_result": ("tool_use_id",),
    "search_result": ("title", "source"),
}


class Turns(JsonField[list[Any]]):
    """A non-empty list of turns, each with a role and content that role may have."""

    def json_schema(self) -> dict[str, Any]:
        """The list; turn_shape.py has what stands in it."""
        return {"type": "array", "minItems": 1, "maxItems": MAX_MESSAGES, "items": TURN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:  # noqa: ARG002
        if not isinstance(value, list):
            raise ValidationError("must be a list of messages")
        if not 1 <= len(value) <= MAX_MESSAGES:
            raise ValidationError(f"must hold 1 to {MAX_MESSAGES} messages")
        _each(value, _check_turn)
        return value


class System(JsonField[Any]):
    """A system prompt: a text, or text blocks."""

    def json_schema(self) -> dict[str, Any]:
        """Both forms."""
        return SYSTEM

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        _check_content(value, _BLOCKS["system"])
        return value


def _check_turn(turn: Any) -> None:
    if not isinstance(turn, dict):
        raise ValidationError("must be an object")
    role = turn.get("role")
    kinds = _BLOCKS.get(role) if isinstance(role, str) else None
    if kinds is None:
        raise ValidationError({"role": [f"must be one of {', '.join(_BLOCKS)}"]})
    if turn.get("content") is None:
        _fail("content", "is missing")
    _within("content", lambda: _check_content(turn["content"], kinds))
    if role == "user" and turn["content"] == []:
        _fail("content", "must hold at least one content block")


def _check_content(content: Any, kinds: Collection[str]) -> None:
    """A text, or a list of blocks of these kinds."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise ValidationError("must be a string or a list of content blocks")
    _each(content, lambda block: _check_block(block, kinds))


def _check_block(block: Any, kinds: Collection[str]) -> None:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise ValidationError("must be an object with a type")
    kind = block["type"]
    if kind not in kinds:
        raise ValidationError(f"a block of type {kind[:100]!r} is not taken here; only {', '.join(kinds)}")
    for name in _TEXTS.get(kind, ()):
        if not isinstance(block.get(name), str):
            _fail(name, "must be a string")
    if not isinstance(block.get("cache_control"), dict | None):
        _fail("cache_control", "must be an object")
    if kind in _CHECKS:
        _CHECKS[kind](block)


def _check_image(block: dict[str, Any]) -> None:
    _within("source", lambda: _check_picture(block.get("source")))


def _check_picture(source: Any) -> None:
    if not isinstance(source, dict):
        raise ValidationError("must be an object")
    if source.get("type") == "url":
        url = source.get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            _fail("url", "must be an http or https URL")
    elif source.get("type") == "base64":
        if source.get("media_type") not in _PICTURES:
            _fail("media_type", f"must be one of {', '.join(_PICTURES)}")
        if not isinstance(source.get("data"), str):
            _fail("data", "must be a string")
    else:
        _fail("type", 'must be "base64" or "url"; files kept at Anthropic cannot be shown to other providers')


def _check_document(block: dict[str, Any]) -> None:
    _refuse_citations(block)
    for name in ("title", "context"):
        if not isinstance(block.get(name), str | None):
            _fail(name, "must be a string")
    _within("source", lambda: _check_source(block.get("source")))


def _check_source(source: Any) -> None:
    if not isinstance(source, dict):
        raise ValidationError("must be an object")
    kind = source.get("type")
    if kind == "content":
        if source.get("content") is None:
            _fail("content", "is missing")
        _within("content", lambda: _check_content(source["content"], ("text", "image")))
    elif kind in ("base64", "text"):
        wanted = "application/pdf" if kind == "base64" else "text/plain"
        if source.get("media_type") != wanted:
            _fail("media_type", f"must be {wanted}")
        if not isinstance(source.get("data"), str):
            _fail("data", "must be a string")
    else:
        _fail("type", 'must be "base64", "text" or "content"; send a document itself, not where it lies')


def _check_search_result(block: dict[str, Any]) -> None:
    _refuse_citations(block)
    if not isinstance(block.get("content"), list):
        _fail("content", "must be a list of text blocks")
    _within("content", lambda: _check_content(block["content"], ("text",)))


def _refuse_citations(block: dict[str, Any]) -> None:
    citations = block.get("citations")
    if not isinstance(citations, dict | None):
        _fail("citations", "must be an object")
    if citations and citations.get("enabled"):
        _fail("citations", "cannot be asked for: an answer is told without them")


def _check_tool_use(block: dict[str, Any]) -> None:
    if not block["name"]:
        _fail("name", "must not be empty")
    if not isinstance(block.get("input"), dict):
        _fail("input", "must be an object")


def _check_tool_result(block: dict[str, Any]) -> None:
    if not isinstance(block.get("is_error"), bool | None):
        _fail("is_error", "must be true or false")
    if block.get("content") is not None:
        _within("content", lambda: _check_content(block["content"], _SHOWN))


_CHECKS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "image": _check_image,
    "document": _check_document,
    "search_result": _check_search_result,
    "tool_use": _check_tool_use,
    "tool_result": _check_tool_result,
}


def _each(items: list[Any], check: Callable[[Any], None]) -> None:
    for index, item in enumerate(items):
        _within(index, lambda item=item: check(item))  # type: ignore[misc]


def _within(place: str | int, check: Callable[[], None]) -> None:
    """Run `check`; what it finds is at `place`."""
    try:
        check()
    except ValidationError as error:
        raise ValidationError({place: error.messages}) from None


def _fail(name: str, problem: str) -> None:
    raise ValidationError({name: [problem]})
