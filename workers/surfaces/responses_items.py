"""The conversation of a response as it is kept, continued and listed: input items with ids, in one form. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.surfaces.base import Head
from workers.surfaces.responses_input import Item

_PREFIXES: Mapping[str, str] = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
}
# Clients send a model's own words as input_text, too.
_SAID = frozenset({"output_text", "input_text"})


def is_reference(item: Item) -> bool:
    """Whether an item only names another one."""
    return item.get("type") == "item_reference" or (item.get("type") is None and "role" not in item)


def with_ids(items: Sequence[Item], head: Head) -> list[dict[str, Any]]:
    """`items` with an id on each: its own, or one made of the response's and of its place."""
    return [{**item, "id": item.get("id") or _input_id(item, head, place)} for place, item in enumerate(items)]


def listed(items: Sequence[Item], head: Head) -> list[dict[str, Any]]:
    """`items` in the long form: with a type, an id, a status, and content as parts."""
    return [_listed(item) for item in with_ids(items, head)]


def _input_id(item: Item, head: Head, place: int) -> str:
    return head.identifier(_PREFIXES.get(item.get("type") or "message", "item_")) + f"_in{place}"


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type") or "message"
    shown = {**item, "type": kind, "status": item.get("status") or "completed"}
    if kind == "message":
        shown["content"] = _parts(item["content"], spoken=item["role"] == "assistant")
    return shown


def _parts(content: str | Sequence[Item], *, spoken: bool) -> list[dict[str, Any]]:
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else [dict(part) for part in content]
    if spoken:
        return [_said(part) if part["type"] in _SAID else part for part in parts]
    return [{"detail": "auto", **part} if part["type"] == "input_image" else part for part in parts]


def _said(part: dict[str, Any]) -> dict[str, Any]:
    return {"annotations": [], **part, "type": "output_text"}
