"""The input of a response: one field that checks its items in one pass, as messages are checked for a chat."""

from collections.abc import Callable
from typing import Any, NoReturn

from marshmallow import ValidationError

from workers.requests.fields import JsonField
from workers.requests.item_shape import ITEM

MAX_ITEMS = 4096
ROLES = ("user", "assistant", "system", "developer")
_DETAILS = ("auto", "low", "high", "original")
_URLS = ("https://", "http://", "data:")


class Input(JsonField[Any]):
    """A text, or a list of items."""

    def json_schema(self) -> dict[str, Any]:
        """Both forms; item_shape.py has what stands in the list."""
        items = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": ITEM}
        return {"anyOf": [{"type": "string"}, items]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str):
            return value
        if not isinstance(value, list):
            raise ValidationError("must be a string or a list of items")
        if not 1 <= len(value) <= MAX_ITEMS:
            raise ValidationError(f"must hold 1 to {MAX_ITEMS} items")
        for index, item in enumerate(value):
            try:
                _check_item(item)
            except ValidationError as error:
                raise ValidationError({index: error.messages}) from None
        return value


def _check_item(item: Any) -> None:
    if not isinstance(item, dict):
        raise ValidationError("must be an object")
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference" if "id" in item else ""
    if not isinstance(kind, str) or not kind:
        _fail("type", f"must be a text, such as {', '.join(_CHECKS)}")
    for name in ("id", "status"):
        if not isinstance(item.get(name), str | None):
            _fail(name, "must be a string")
    # Any other kind is the business of a provider's own Responses endpoint.
    if kind in _CHECKS:
        _CHECKS[kind](item)


def _message(item: dict[str, Any]) -> None:
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        _fail("role", f"must be one of {', '.join(ROLES)}")
    _extra(item)
    content = item.get("content")
    if isinstance(content, str):
        return
    if content is None:
        _fail("content", "is missing")
    if not isinstance(content, list):
        _fail("content", "must be a string or a list of content parts")
    spoken = role == "assistant"
    if not content and not spoken:
        _fail("content", "must hold at least one content part")
    _check_parts("content", content, _SPOKEN_PARTS if spoken else _GIVEN_PARTS)


def _reasoning(item: dict[str, Any]) -> None:
    for name, kind in (("summary", "summary_text"), ("content", "reasoning_text")):
        parts = item.get(name)
        if parts is None:
            continue
        if not isinstance(parts, list):
            _fail(name, "must be a list")
        _check_parts(name, parts, {kind: _text}, others=False)
    if not isinstance(item.get("reasoning_details"), list | None):
        _fail("reasoning_details", "must be a list")


def _call(item: dict[str, Any]) -> None:
    for name in ("call_id", "name", "arguments"):
        if not isinstance(item.get(name), str):
            _fail(name, "must be a string" if item.get(name) is not None else "is missing")
    _extra(item)


def _output(item: dict[str, Any]) -> None:
    if not isinstance(item.get("call_id"), str):
        _fail("call_id", "must be the call_id of the function call this is the output of")
    output = item.get("output")
    if isinstance(output, str):
        return
    if not isinstance(output, list) or not output:
        _fail("output", "must be a string or a list of content parts")
    _check_parts("output", output, _GIVEN_PARTS)


def _reference(item: dict[str, Any]) -> None:
    if not isinstance(item.get("id"), str):
        _fail("id", "must be the id of an item")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "function_call_output": _output,
    "item_reference": _reference,
}

PartCheck = Callable[[dict[str, Any]], str | None]


def _check_parts(name: str, parts: list[Any], known: dict[str, PartCheck], *, others: bool = True) -> None:
    """`others`: parts that no chat has are the business of a provider's own Responses endpoint."""
    for index, part in enumerate(parts):
        kind = part.get("type") if isinstance(part, dict) else None
        check = known.get(kind) if isinstance(kind, str) else None
        if others and isinstance(kind, str) and kind and kind not in _PARTS:
            continue
        problem = f"must be an object whose type is one of {', '.join(known)}" if check is None else check(part)
        if problem is not None:
            _fail(name, {index: [problem]})


def _text(part: dict[str, Any]) -> str | None:
    return None if isinstance(part.get("text"), str) else "text must be a string"


def _refusal(part: dict[str, Any]) -> str | None:
    return None if isinstance(part.get("refusal"), str) else "refusal must be a string"


def _image(part: dict[str, Any]) -> str | None:
    file_id, url, detail = part.get("file_id"), part.get("image_url"), part.get("detail")
    if not isinstance(file_id, str | None):
        return "file_id must be a string"
    if (url is not None or file_id is None) and not (isinstance(url, str) and url.startswith(_URLS)):
        return "image_url must be an http, https or data URL"
    return None if detail is None or detail in _DETAILS else f"detail must be one of {', '.join(_DETAILS)}"


def _file(part: dict[str, Any]) -> str | None:
    for name in ("file_data", "file_id", "file_url", "filename"):
        if not isinstance(part.get(name), str | None):
            return f"{name} must be a string"
    if all(part.get(name) is None for name in ("file_data", "file_id", "file_url")):
        return "file_data must be a string, a data URL"
    return None


def _audio(part: dict[str, Any]) -> str | None:
    audio = part.get("input_audio")
    if not isinstance(audio, dict) or not all(isinstance(audio.get(name), str) for name in ("data", "format")):
        return "input_audio must be an object with data and format"
    return None


_GIVEN_PARTS: dict[str, PartCheck] = {
    "input_text": _text,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
# A model's own words; clients send them as input_text, too.
_SPOKEN_PARTS: dict[str, PartCheck] = {"output_text": _text, "refusal": _refusal, "input_text": _text}


_PARTS = _GIVEN_PARTS.keys() | _SPOKEN_PARTS.keys()


def _extra(item: dict[str, Any]) -> None:
    if not isinstance(item.get("extra_content"), dict | None):
        _fail("extra_content", "must be an object")


def _fail(name: str, problem: Any) -> NoReturn:
    raise ValidationError({name: problem if isinstance(problem, dict) else [problem]})
