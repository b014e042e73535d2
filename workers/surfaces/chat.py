"""Chat completions: the form that every chat job has underneath, so nothing is turned into anything."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workers.surfaces.base import Event, EventWriter, Head, Surface, compact

# A place for content that no model's name can hold.
_HERE = "\x00"


class Chat(Surface):
    """`POST /v1/chat/completions`."""

    name: ClassVar[str] = "chat"
    terminator: ClassVar[bytes] = b"data: [DONE]\n\n"

    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:  # noqa: ARG002
        """The provider's completion itself."""
        return body

    def writer(self, head: Head) -> EventWriter:
        """Chunks, one for each choice delta."""
        return ChatWriter(head)


class ChatWriter(EventWriter):
    """`chat.completion.chunk` events. How the job was routed stands in the last one."""

    def __init__(self, head: Head) -> None:
        self._include_usage = head.include_usage
        self._common: dict[str, Any] = {
            "id": head.identifier("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
        }
        if head.include_usage:
            self._common["usage"] = None
        self._begun: set[int] = set()
        self._around = self._chunk_around()
        # They wait for the end, as one of them may be the last chunk.
        self._finishes: list[dict[str, Any]] = []

    @property
    def content_around(self) -> tuple[bytes, bytes] | None:
        """A chunk with the content left out, once choice 0 has its role."""
        return self._around if 0 in self._begun else None

    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """One chunk, after that with the role if it is the choice's first."""
        events = []
        index, finish = choice["index"], choice.get("finish_reason")
        if index not in self._begun:
            self._begun.add(index)
            events.append(self._chunk(index, {"role": "assistant", "content": "", "refusal": None}, None))
        if choice["delta"]:
            events.append(self._chunk(index, choice["delta"], choice.get("logprobs")))
        if finish is not None:
            self._finishes.append({"index": index, "delta": {}, "logprobs": None, "finish_reason": finish})
        return events

    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """The finish of each choice, and the usage where it was asked for."""
        chunks = [{**self._common, "choices": [finish]} for finish in self._finishes]
        if self._include_usage:
            chunks.append({**self._common, "choices": [], "usage": answer.get("usage")})
        if chunks:
            chunks[-1]["routing_metadata"] = answer.get("routing_metadata")
        return [Event(chunk) for chunk in chunks]

    def failed(self, error: Mapping[str, Any], status: int) -> Sequence[Event]:  # noqa: ARG002
        """OpenAI's error chunk: the error where the chunk would be."""
        return (Event(error),)

    def _chunk_around(self) -> tuple[bytes, bytes]:
        before, _, after = compact(self._chunk(0, {"content": _HERE}, None).data).partition(json.dumps(_HERE))
        return f"data: {before}".encode(), f"{after}\n\n".encode()

    def _chunk(self, index: int, delta: Mapping[str, Any], logprobs: Any) -> Event:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        return Event({**self._common, "choices": [choice]})
