"""Chat completions: the form that every chat job has underneath, so nothing is turned into anything."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workers.surfaces.base import Event, EventWriter, Head, Surface, compact
from workers.surfaces.numbering import Numbering

# A place for content that no model's name can hold.
_HERE = "\x00"
# Fields of a chunk that the first of them cannot have yet; OpenAI's client keeps what the last one says.
_AT_THE_END = ("system_fingerprint", "service_tier")


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
        self._numbering = Numbering()

    @property
    def content_around(self) -> tuple[bytes, bytes] | None:
        """A chunk with the content left out, once choice 0 has its role."""
        return self._around if 0 in self._begun else None

    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """One chunk, after that with the role if it is the choice's first."""
        events = []
        index, finish, delta = choice["index"], choice.get("finish_reason"), choice["delta"]
        if index not in self._begun:
            self._begun.add(index)
            # Null where no words begin the answer, as at OpenAI: nor has the answer in one piece any beside calls.
            content = None if delta and "content" not in delta else ""
            events.append(self._chunk(index, {"role": "assistant", "content": content, "refusal": None}, None))
        if delta or choice.get("logprobs"):
            events.append(self._chunk(index, self._numbering.numbered(index, delta), choice.get("logprobs")))
        if finish is not None:
            met = {"stop_reason": choice["stop_reason"]} if "stop_reason" in choice else {}
            self._finishes.append({"index": index, "delta": {}, "logprobs": None, "finish_reason": finish, **met})
        return events

    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """The finish of each choice, and the usage where it was asked for; what else is known only at the end."""
        common = self._common | {name: answer[name] for name in _AT_THE_END if answer.get(name) is not None}
        chunks = [{**common, "choices": [finish]} for finish in self._finishes]
        if self._include_usage:
            chunks.append({**common, "choices": [], "usage": answer.get("usage")})
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
