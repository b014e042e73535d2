"""What a provider's own Responses endpoint said, as this router's: its answer, and its events on their way. Pure.

Its items keep their ids, and its fields their values. What names the response and says how it is kept is the router's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.reading import mapping, objects, text
from workers.surfaces.base import Head
from workers.surfaces.responses_object import response_object

# Of a response object: the provider was told otherwise, or not at all.
_OURS = (
    "id", "object", "created_at", "background", "instructions", "metadata", "previous_response_id", "store",
)  # fmt: skip
# Where pieces of an item are told, and the field of its last part, or of the item, that they add to.
_PIECES: Mapping[str, tuple[str, str]] = {
    "response.output_text.delta": ("content", "text"),
    "response.refusal.delta": ("content", "refusal"),
    "response.reasoning_text.delta": ("content", "text"),
    "response.reasoning_summary_text.delta": ("summary", "text"),
    "response.function_call_arguments.delta": ("", "arguments"),
    "response.mcp_call_arguments.delta": ("", "arguments"),
    "response.custom_tool_call_input.delta": ("", "input"),
    "response.code_interpreter_call_code.delta": ("", "code"),
}
_PARTS: Mapping[str, str] = {
    "response.content_part.added": "content",
    "response.reasoning_summary_part.added": "summary",
}


def native_answer(body: Mapping[str, Any], head: Head) -> dict[str, Any]:
    """A provider's `response` that has ended, as the router's own."""
    usual = response_object(head, text(body.get("status")))
    told = {name: value for name, value in body.items() if value is not None or name not in usual}
    return {**usual, **told, **{name: usual[name] for name in _OURS}, "error": None}


class Passage:
    """A provider's events on their way to the caller, and what they have told of items so far."""

    def __init__(self, head: Head) -> None:
        self._head = head
        # By their place in the output; those that are done stay as they are.
        self._items: dict[int, dict[str, Any]] = {}
        self._done: set[int] = set()
        # Parts of open items, and the pieces of each: by item, list and field; an item's own are in no list.
        self._parts: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self._pieces: dict[tuple[int, str, int, str], list[str]] = {}
        self.begun = False

    def told(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event as the caller is told it; its number is the writer's business."""
        self.begun = True
        if isinstance(index := event.get("output_index"), int):
            self._gather(text(event.get("type")), index, event)
        shown = dict(event)
        if "response_id" in event:
            shown["response_id"] = self._head.identifier("resp_")
        if isinstance(event.get("response"), dict):
            shown["response"] = {**event["response"], **response_object(self._head, "in_progress")}
        return shown

    def items(self) -> Sequence[dict[str, Any]]:
        """The items so far, as an answer that was cut has them."""
        return [item if index in self._done else self._open(index, item) for index, item in sorted(self._items.items())]

    def _gather(self, kind: str, index: int, event: Mapping[str, Any]) -> None:
        if kind == "response.output_item.added":
            self._items[index] = mapping(event.get("item"))
        elif kind == "response.output_item.done":
            self._items[index] = mapping(event.get("item"))
            self._done.add(index)
            self._parts = {key: parts for key, parts in self._parts.items() if key[0] != index}
            self._pieces = {key: pieces for key, pieces in self._pieces.items() if key[0] != index}
        elif kind in _PARTS:
            self._parts.setdefault((index, _PARTS[kind]), []).append(mapping(event.get("part")))
        elif kind in _PIECES:
            name, field = _PIECES[kind]
            place = max(len(self._parts.get((index, name), ())) - 1, 0)
            self._pieces.setdefault((index, name, place, field), []).append(text(event.get("delta")))

    def _open(self, index: int, item: Mapping[str, Any]) -> dict[str, Any]:
        """An item that was not done, with what came of it."""
        shown = {**item, "status": "incomplete"}
        for (owner, name), parts in self._parts.items():
            if owner == index:
                shown[name] = [dict(part) for part in parts]
        for (owner, name, place, field), pieces in self._pieces.items():
            holders = [shown] if not name else objects(shown.get(name))
            if owner == index and place < len(holders):
                holders[place][field] = "".join(pieces)
        return shown
