"""The input items of OpenAI's Responses API as chat messages. Pure; what the items look like was checked before.

A turn of the model is several items there (reasoning, a message, calls) and one message here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from routing.errors import InvalidRequest

Item = Mapping[str, Any]
# What a chat message can hold.
ITEMS = frozenset({"message", "reasoning", "function_call", "function_call_output"})
PARTS = frozenset({"input_text", "output_text", "refusal", "input_image", "input_file", "input_audio"})
# Calls that their vendor has made and ended by itself: what they found is told in the message after them.
FINISHED_CALLS = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call"}
)


def messages_of(instructions: str | None, items: Sequence[Item], *, earlier: int = 0) -> list[dict[str, Any]]:
    """The messages of a conversation; `items` begin with `earlier` ones of the responses before.

    Raises InvalidRequest for an item that no chat message can hold, and where calls and their outputs do not match.
    """
    told = _Conversation(instructions)
    for index, item in enumerate(items):
        told.add(item, f"input[{index - earlier}]" if index >= earlier else "previous_response_id")
    return told.end()


class _Conversation:
    """What has been translated so far."""

    def __init__(self, instructions: str | None) -> None:
        self._messages: list[dict[str, Any]] = []
        if instructions:
            self._messages.append({"role": "system", "content": instructions})
        # The model's turn that items are still added to.
        self._turn: dict[str, Any] | None = None
        # Reasoning, and OpenRouter's form of it, that waits for what it led to.
        self._thoughts: list[str] = []
        self._details: list[Any] = []
        self._called: set[str] = set()
        # The calls without an output, in order.
        self._open: dict[str, None] = {}

    def add(self, item: Item, where: str) -> None:
        """Translate one item; `where` it stands is named in errors."""
        kind = item.get("type") or "message"
        if kind == "message":
            self._say(item)
        elif kind == "reasoning":
            self._think(item)
        elif kind == "function_call":
            self._call(item)
        elif kind == "function_call_output":
            self._result(item, where)
        elif kind not in FINISHED_CALLS:
            raise InvalidRequest(f"{where}: an item of type {kind!r} cannot be sent to a provider", param=where)

    def end(self) -> list[dict[str, Any]]:
        """All messages; every call must have its output by now."""
        if self._open:
            missing = next(iter(self._open))
            raise InvalidRequest(f"input: no output for the function call {missing!r}", param="input")
        if not self._messages:
            raise InvalidRequest("input: holds nothing that could be answered", param="input")
        return self._messages

    def _say(self, item: Item) -> None:
        if item["role"] != "assistant":
            self._turn = None
            self._messages.append({"role": item["role"], "content": content_of(item["content"])})
            return
        words, refusal = _spoken(item["content"])
        if not words and not refusal:
            return
        turn = self._turn
        if turn is None or (turn["content"] is not None and "tool_calls" not in turn):
            turn = self._begin()
        self._attach(turn)
        if words:
            # A second text of one turn, after a call of the first.
            turn["content"] = words if turn["content"] is None else f"{turn['content']}\n{words}"
        if refusal:
            turn["refusal"] = refusal
        if extra := item.get("extra_content"):
            turn["extra_content"] = extra

    def _think(self, item: Item) -> None:
        parts = item.get("content") or item.get("summary") or ()
        self._thoughts += [part["text"] for part in parts]
        self._details += item.get("reasoning_details") or ()

    def _call(self, item: Item) -> None:
        turn = self._turn if self._turn is not None else self._begin()
        self._attach(turn)
        call = {
            "id": item["call_id"],
            "type": "function",
            "function": {"name": item["name"], "arguments": item["arguments"]},
        }
        if extra := item.get("extra_content"):
            call["extra_content"] = extra
        turn.setdefault("tool_calls", []).append(call)
        self._called.add(item["call_id"])
        self._open[item["call_id"]] = None

    def _result(self, item: Item, where: str) -> None:
        call_id = item["call_id"]
        if call_id not in self._called:
            raise InvalidRequest(
                f"{where}.call_id: no function call before it has the id {call_id!r}", param=f"{where}.call_id"
            )
        self._turn = None
        self._open.pop(call_id, None)
        self._messages.append({"role": "tool", "tool_call_id": call_id, "content": content_of(item["output"])})

    def _begin(self) -> dict[str, Any]:
        self._turn = {"role": "assistant", "content": None}
        self._messages.append(self._turn)
        return self._turn

    def _attach(self, turn: dict[str, Any]) -> None:
        """Give the waiting reasoning to the turn it led to."""
        if self._thoughts:
            before = [turn["reasoning_content"]] if "reasoning_content" in turn else []
            turn["reasoning_content"] = "\n".join([*before, *self._thoughts])
        if self._details:
            turn["reasoning_details"] = [*turn.get("reasoning_details", ()), *self._details]
        self._thoughts, self._details = [], []


def content_of(content: str | Sequence[Item]) -> str | list[dict[str, Any]]:
    """The content of a user's or a tool's message: text as text, which every vendor takes, else parts."""
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in content]
    if len(parts) == 1 and parts[0]["type"] == "text":
        words: str = parts[0]["text"]
        return words
    return parts


def _part(part: Item) -> dict[str, Any]:
    match part["type"]:
        case "input_image":
            detail = part.get("detail")
            return {
                "type": "image_url",
                "image_url": {"url": part["image_url"], **({"detail": detail} if detail else {})},
            }
        case "input_file":
            named = {name: part[name] for name in ("filename", "file_data") if part.get(name) is not None}
            return {"type": "file", "file": named}
        case "input_audio":
            return {"type": "input_audio", "input_audio": part["input_audio"]}
        case _:
            return {"type": "text", "text": part["text"]}


def _spoken(content: str | Sequence[Item]) -> tuple[str, str]:
    """The text and the refusal of a model's message."""
    if isinstance(content, str):
        return content, ""
    words = "".join(part["text"] for part in content if part["type"] != "refusal")
    return words, "".join(part["refusal"] for part in content if part["type"] == "refusal")
