"""What a provider's own Responses endpoint is sent of a request, and what only such an endpoint can be told. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.request_fields import ROUTER_FIELDS
from workers.reading import mapping, objects
from workers.surfaces.responses_input import FINISHED_CALLS, ITEMS, PARTS, Item
from workers.surfaces.responses_request import NATIVE_FIELDS, NATIVE_ONLY, WRITTEN

# Chat has words for these and the Responses API has not: a request with one is translated wherever it can be.
_CHATS_OWN = frozenset({"seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias"})
# What answers of this router add to items, and what its own lists of them add: a strict vendor refuses it.
_ADDED = frozenset({"extra_content", "reasoning_details", "url"})
# Their ids are this router's, or those of an answer that no vendor has kept: nothing is found under them.
_NAMELESS = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"}
)
_WORDS = frozenset({"text", "content", "output", "arguments", "input", "refusal", "code"})
_PICTURES = frozenset({"input_image", "computer_screenshot"})


@dataclass(frozen=True, slots=True)
class Native:
    """What a Responses endpoint is told beside what a chat is told, kept with a job that may go to one."""

    # As the caller gave them; what a chat has under the same name is not among them.
    fields: Mapping[str, Any]
    # The place in the request of the first thing that no chat can say; empty where all of it can be translated.
    needed_by: str = ""
    # The conversation where the response is not to be kept, and so has it nowhere else.
    items: Sequence[Item] | None = None

    def to_wire(self) -> dict[str, Any]:
        """A JSON-able object."""
        wire: dict[str, Any] = {"fields": dict(self.fields)}
        if self.needed_by:
            wire["needed_by"] = self.needed_by
        return wire if self.items is None else {**wire, "input": list(self.items)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Native":
        """The inverse of `to_wire`."""
        return cls(wire["fields"], wire.get("needed_by", ""), wire.get("input"))


def native_of(body: Mapping[str, Any], items: Sequence[Item], *, earlier: int = 0) -> Native | None:
    """How a checked `body` goes to a Responses endpoint; None where it is better translated.

    `items` are its conversation, the first `earlier` of them not from its own input.
    """
    needed_by = _needed_by(body, items, earlier)
    if not needed_by and any(body.get(name) is not None for name in _CHATS_OWN):
        return None
    fields = {name: body[name] for name in NATIVE_FIELDS if body.get(name) is not None}
    if not body.get("stream"):
        fields.pop("stream_options", None)
    return Native(fields, needed_by, None if body.get("store", True) is not False else items)


def native_request(request: Mapping[str, Any], echo: Mapping[str, Any]) -> dict[str, Any] | None:
    """The request of a Responses endpoint as a job has it: its `request`, its `echo`; None where there is none."""
    kept = echo.get("native")
    if kept is None:
        return None
    body = {name: value for name, value in request.items() if name not in WRITTEN and name not in ROUTER_FIELDS}
    items = kept["input"] if "input" in kept else echo["input"]
    # What is kept is kept here, for every provider alike.
    body |= {**kept["fields"], "input": [_sent(item) for item in items if _says_something(item)], "store": False}
    return {**body, "stream": True} if request.get("stream") is True else body


def outline(request: Mapping[str, Any], native: Mapping[str, Any], items: Sequence[Item]) -> dict[str, Any]:
    """A chat request as good as routing needs one, of what cannot be a chat: who may serve it, and how long it is."""
    fields = mapping(native.get("fields"))
    chat = {**request, "messages": [{"role": "user", "content": list(_parts(item))} for item in items]}
    if tools := [tool for tool in objects(fields.get("tools")) if tool.get("type") == "function"]:
        chat["tools"] = tools
    if form := mapping(mapping(fields.get("text")).get("format")):
        chat["response_format"] = form
    if limit := fields.get("max_output_tokens"):
        chat["max_tokens"] = limit
    return chat


def _needed_by(body: Mapping[str, Any], items: Sequence[Item], earlier: int) -> str:
    for name in NATIVE_ONLY:
        if body.get(name) is not None:
            return name
    if mapping(body.get("reasoning")).get("mode") == "pro":
        return "reasoning.mode"
    for place, tool in enumerate(objects(body.get("tools"))):
        if tool["type"] != "function":
            return f"tools[{place}].type"
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and not _names_functions(choice):
        return "tool_choice"
    for place, item in enumerate(items):
        if step := _unsayable(item):
            return f"input[{place - earlier}].{step}" if place >= earlier else "previous_response_id"
    return ""


def _names_functions(choice: Mapping[str, Any]) -> bool:
    named = objects(choice.get("tools")) if choice["type"] == "allowed_tools" else [choice]
    return all(tool.get("type") == "function" for tool in named)


def _unsayable(item: Item) -> str:
    """What of an item no chat message can hold; empty where one can."""
    kind = item.get("type") or "message"
    if kind not in ITEMS and kind not in FINISHED_CALLS:
        return "type"
    for name in ("content", "output") if kind in ("message", "function_call_output") else ():
        for place, part in enumerate(objects(item.get(name))):
            if part.get("type") not in PARTS or part.get("file_id") is not None or part.get("file_url") is not None:
                return f"{name}[{place}]"
    return ""


def _says_something(item: Item) -> bool:
    """Whether a vendor that has kept nothing can read it: reasoning is sealed, and a picture is in it."""
    match item.get("type"):
        case "reasoning":
            return bool(item.get("encrypted_content"))
        case "image_generation_call":
            return bool(item.get("result"))
        case _:
            return True


def _sent(item: Item) -> dict[str, Any]:
    left_out = _ADDED | {"id"} if (item.get("type") or "message") in _NAMELESS else _ADDED
    return {name: value for name, value in item.items() if value is not None and name not in left_out}


def _parts(value: Any, name: str = "") -> Iterator[dict[str, Any]]:
    """The words and the pictures anywhere in an item, as parts of a chat message."""
    if isinstance(value, str):
        if name in _WORDS:
            yield {"type": "text", "text": value}
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner, name)
    elif isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _PICTURES:
            yield {"type": "image_url"}
        for key, inner in value.items():
            yield from _parts(inner, key)
