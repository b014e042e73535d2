"""An answer's stream in Anthropic's events: message_start, blocks with their deltas, message_delta, message_stop.

Format: platform.claude.com/docs/en/build-with-claude/streaming.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workers.reading import mapping, objects, text
from workers.surfaces.base import Event, EventWriter, Head, compact
from workers.surfaces.messages_answer import error_of, thinking_block, thinking_of, tool_use, usage_of

# Stands for a piece of text where its event is cut in two.
_HERE = "\x00"


def envelope(head: Head) -> dict[str, Any]:
    """What a Message says of itself before its content."""
    return {"id": head.identifier("msg_"), "type": "message", "role": "assistant", "model": head.model}


class MessagesWriter(EventWriter):
    """One Message, block after block. How the job was routed stands in the message_delta event."""

    def __init__(self, head: Head) -> None:
        self._envelope = envelope(head)
        self._begun = False
        # The number of the block that was begun last, and what it is; None between blocks.
        self._index = -1
        self._kind: str | None = None
        # What has been thought in the open block.
        self._thought = ""
        # A call's index in the deltas -> its block.
        self._calls: dict[int, int] = {}
        self._around: tuple[bytes, bytes] | None = None

    @property
    def content_around(self) -> tuple[bytes, bytes] | None:
        """A text_delta event with the text left out, while a text block is open."""
        return self._around if self._kind == "text" else None

    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """The events of one delta; a Message has one choice, so others are passed over."""
        if choice["index"] != 0:
            return ()
        events = self._begin()
        delta = choice["delta"]
        if reasoning := text(delta.get("reasoning_content")):
            events += self._open("thinking", thinking_block(""))
            self._thought += reasoning
            events.append(self._delta("thinking_delta", "thinking", reasoning))
        for block in thinking_of(delta):
            events += self._sign(block)
        if words := text(delta.get("content")):
            if opened := self._open("text", {"type": "text", "text": ""}):
                events += opened
                self._around = self._text_around()
            events.append(self._text(words))
        for call in objects(delta.get("tool_calls")):
            events += self._call(call)
        return events

    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """The end of the open block, then how and at what cost the message ends."""
        events = [*self._begin(), *self._close()]
        names = ("stop_reason", "stop_sequence", "stop_details")
        ended: dict[str, Any] = {
            "type": "message_delta",
            "delta": {name: answer[name] for name in names if name in answer},
            "usage": answer["usage"],
            "routing_metadata": answer.get("routing_metadata"),
        }
        return [*events, Event(ended, "message_delta"), Event({"type": "message_stop"}, "message_stop")]

    def failed(self, error: Mapping[str, Any], status: int) -> Sequence[Event]:
        """Anthropic's error event."""
        return (Event(error_of(error, status), "error"),)

    def _begin(self) -> list[Event]:
        if self._begun:
            return []
        self._begun = True
        # Nobody knows the counts yet: the message_delta event tells them.
        message = {
            **self._envelope,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_of({}),
        }
        return [Event({"type": "message_start", "message": message}, "message_start")]

    def _open(self, kind: str, block: Mapping[str, Any]) -> list[Event]:
        """Begin a block unless it is the open one; a tool use always begins."""
        if kind == self._kind and kind != "tool_use":
            return []
        events = self._close()
        self._index += 1
        self._kind = kind
        started = {"type": "content_block_start", "index": self._index, "content_block": block}
        return [*events, Event(started, "content_block_start")]

    def _close(self) -> list[Event]:
        if self._kind is None:
            return []
        self._kind, self._thought = None, ""
        return [Event({"type": "content_block_stop", "index": self._index}, "content_block_stop")]

    def _delta(self, kind: str, name: str, value: str, index: int | None = None) -> Event:
        place = self._index if index is None else index
        told = {"type": "content_block_delta", "index": place, "delta": {"type": kind, name: value}}
        return Event(told, "content_block_delta")

    def _text(self, words: str) -> Event:
        return self._delta("text_delta", "text", words)

    def _text_around(self) -> tuple[bytes, bytes]:
        before, _, after = compact(self._text(_HERE).data).partition(json.dumps(_HERE))
        return f"event: content_block_delta\ndata: {before}".encode(), f"{after}\n\n".encode()

    def _sign(self, block: Mapping[str, Any]) -> list[Event]:
        """A block of signed thinking has ended: the open one if it is that, else it is told whole."""
        thought, signature = text(block.get("thinking")), text(block.get("signature"))
        if block.get("type") != "thinking":
            return [*self._close(), *self._open("thinking", block), *self._close()]
        events: list[Event] = []
        if self._kind != "thinking" or self._thought != thought:
            events += [*self._close(), *self._open("thinking", thinking_block(""))]
            if thought:
                events.append(self._delta("thinking_delta", "thinking", thought))
        if signature:
            events.append(self._delta("signature_delta", "signature", signature))
        return events + self._close()

    def _call(self, call: Mapping[str, Any]) -> list[Event]:
        """A call begins, or goes on; signed thinking that comes with it stands before it."""
        position, function = call.get("index") or 0, mapping(call.get("function"))
        events = [event for block in thinking_of(call) for event in self._sign(block)]
        if position not in self._calls and function:
            events += self._open("tool_use", tool_use(call))
            self._calls[position] = self._index
        if pieces := text(function.get("arguments")):
            # A vendor that goes back to an earlier call is followed there: clients join pieces by their block.
            events.append(self._delta("input_json_delta", "partial_json", pieces, self._calls[position]))
        return events
