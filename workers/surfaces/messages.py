"""Anthropic's Messages: a chat completion is told as a Message, an error as Anthropic's."""

from collections.abc import Mapping
from typing import Any, ClassVar

from routing.job import Usage
from workers.reading import mapping, objects
from workers.surfaces.base import EventWriter, Head, Surface
from workers.surfaces.messages_answer import content_of, counted, error_of, stop_of, usage_of
from workers.surfaces.messages_events import MessagesWriter, envelope


class Messages(Surface):
    """`POST /v1/messages`."""

    name: ClassVar[str] = "messages"

    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:
        """The first choice as a Message."""
        choice = next(iter(objects(body.get("choices"))), {})
        content = content_of(mapping(choice.get("message")))
        return {
            **envelope(head),
            "content": content,
            **stop_of(choice, content),
            "usage": usage_of(mapping(body.get("usage"))),
        }

    def writer(self, head: Head) -> EventWriter:
        """Named events, as the Messages API streams them."""
        return MessagesWriter(head)

    def usage(self, answer: Mapping[str, Any]) -> Usage:
        """The tokens of a Message."""
        return counted(mapping(answer.get("usage")))

    def error(self, body: dict[str, Any], status: int, request_id: str = "") -> dict[str, Any]:
        """`{"type": "error", "error": {"type", "message"}, "request_id"}`."""
        return {**error_of(body, status), "request_id": request_id or None}
