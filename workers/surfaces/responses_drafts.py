"""Output items of a streamed response while they are told: each turns what arrives into the body of events. Pure.

An event's number is the writer's business; everything else of it is made here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from workers.surfaces.responses_output import (
    call_item,
    message_item,
    picture_item,
    reasoning_item,
    refusal_part,
    text_part,
)

Body = dict[str, Any]


class Draft(ABC):
    """One item. `index` is its place in the response's output."""

    def __init__(self, identifier: str, index: int) -> None:
        self.identifier = identifier
        self.index = index
        self.closed = False

    def open(self) -> list[Body]:
        """The item appears, empty."""
        item = {**self.item(), "status": "in_progress"}
        return [{"type": "response.output_item.added", "output_index": self.index, "item": item}]

    def close(self, status: str) -> list[Body]:
        """The item is as it stays."""
        self.closed = True
        finish = self._finish()
        done = {"type": "response.output_item.done", "output_index": self.index, "item": self.item(status)}
        return [*finish, done]

    @abstractmethod
    def item(self, status: str = "completed") -> Body:
        """The item as it is now."""

    def _finish(self) -> list[Body]:
        """What is told of the item's parts before the item itself is done."""
        return []

    def _event(self, kind: str, **told: Any) -> Body:
        return {"type": kind, "item_id": self.identifier, "output_index": self.index, **told}


class ReasoningDraft(Draft):
    """What a model thinks, told as a summary: that is what clients show."""

    def __init__(self, identifier: str, index: int) -> None:
        super().__init__(identifier, index)
        self._words: list[str] = []

    def item(self, status: str = "completed") -> Body:
        """The reasoning so far."""
        return {**reasoning_item(self.identifier, "".join(self._words)), "status": status}

    def think(self, words: str) -> list[Body]:
        """More of it."""
        begun = [] if self._words else [self._part("response.reasoning_summary_part.added", "")]
        self._words.append(words)
        return [*begun, self._event("response.reasoning_summary_text.delta", summary_index=0, delta=words)]

    def _finish(self) -> list[Body]:
        words = "".join(self._words)
        done = self._event("response.reasoning_summary_text.done", summary_index=0, text=words)
        return [done, self._part("response.reasoning_summary_part.done", words)] if words else []

    def _part(self, kind: str, words: str) -> Body:
        return self._event(kind, summary_index=0, part={"type": "summary_text", "text": words})


class MessageDraft(Draft):
    """What a model says, and why it will not: one part of each kind at most, in the order they began."""

    def __init__(self, identifier: str, index: int) -> None:
        super().__init__(identifier, index)
        self._words: dict[str, list[str]] = {}
        self._logprobs: list[Body] = []
        self.annotations: list[Body] = []
        self.extra: Body = {}

    def item(self, status: str = "completed") -> Body:
        """The message so far."""
        parts = [self._part(kind) for kind in self._words]
        return {**message_item(self.identifier, parts, self.extra), "status": status}

    def say(self, words: str, logprobs: Sequence[Body]) -> list[Body]:
        """More text, with the log probabilities of its tokens."""
        begun = self._begin("output_text")
        self._words["output_text"].append(words)
        self._logprobs += logprobs
        place = self._place("output_text")
        return [*begun, self._event("response.output_text.delta", **place, delta=words, logprobs=list(logprobs))]

    def refuse(self, words: str) -> list[Body]:
        """More of a refusal."""
        begun = self._begin("refusal")
        self._words["refusal"].append(words)
        return [*begun, self._event("response.refusal.delta", **self._place("refusal"), delta=words)]

    def add_logprobs(self, logprobs: Sequence[Body]) -> None:
        """Log probabilities that came without text of their own."""
        self._logprobs += logprobs

    def _finish(self) -> list[Body]:
        events = []
        for kind in self._words:
            place, part = self._place(kind), self._part(kind)
            if kind == "output_text":
                events += [
                    self._event(
                        "response.output_text.annotation.added", **place, annotation_index=number, annotation=annotation
                    )
                    for number, annotation in enumerate(self.annotations)
                ]
                events.append(
                    self._event(
                        "response.output_text.done", **place, text=part["text"], logprobs=list(part["logprobs"])
                    )
                )
            else:
                events.append(self._event("response.refusal.done", **place, refusal=part["refusal"]))
            events.append(self._event("response.content_part.done", **place, part=part))
        return events

    def _begin(self, kind: str) -> list[Body]:
        if kind in self._words:
            return []
        self._words[kind] = []
        part = text_part("") if kind == "output_text" else refusal_part("")
        return [self._event("response.content_part.added", **self._place(kind), part=part)]

    def _place(self, kind: str) -> Body:
        return {"content_index": list(self._words).index(kind)}

    def _part(self, kind: str) -> Body:
        words = "".join(self._words[kind])
        return text_part(words, self._logprobs, self.annotations) if kind == "output_text" else refusal_part(words)


class CallDraft(Draft):
    """A call of a function."""

    def __init__(self, identifier: str, index: int, call_id: str, name: str) -> None:
        super().__init__(identifier, index)
        self._call_id = call_id
        self._name = name
        self._arguments: list[str] = []
        self._extra: Body = {}

    def item(self, status: str = "completed") -> Body:
        """The call so far."""
        item = call_item(self.identifier, self._call_id, self._name, "".join(self._arguments), self._extra)
        return {**item, "status": status}

    def more(self, arguments: str, extra: Mapping[str, Any]) -> list[Body]:
        """More of its arguments, and what one vendor's dialect hangs on it."""
        self._extra = {**self._extra, **extra}
        if not arguments:
            return []
        self._arguments.append(arguments)
        return [self._event("response.function_call_arguments.delta", delta=arguments)]

    def _finish(self) -> list[Body]:
        # A call without arguments is one with none, as in the whole answer.
        none = [] if self._arguments else self.more("{}", {})
        arguments = "".join(self._arguments)
        return [*none, self._event("response.function_call_arguments.done", arguments=arguments, name=self._name)]


class PictureDraft(Draft):
    """A picture, which comes in one piece."""

    def __init__(self, identifier: str, index: int, url: str) -> None:
        super().__init__(identifier, index)
        self._url = url

    def open(self) -> list[Body]:
        """The picture is not sent twice."""
        events = super().open()
        events[0]["item"]["result"] = None
        return events

    def item(self, status: str = "completed") -> Body:
        """The picture."""
        return {**picture_item(self.identifier, self._url), "status": status}
