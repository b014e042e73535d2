"""A chat stream told in the events of OpenAI's Responses API, or a provider's own events passed on. Pure.

Reasoning is done when something else begins; everything else is done when the answer is, because providers may take
up a call or a text again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.frames import RESPONSE_EVENT
from workers.reading import joined
from workers.surfaces.base import Event, EventWriter, Head
from workers.surfaces.responses_drafts import Body, CallDraft, Draft, MessageDraft, PictureDraft, ReasoningDraft
from workers.surfaces.responses_object import failed_object, response_object
from workers.surfaces.responses_output import (
    INCOMPLETE,
    annotations_of,
    fallback_call_id,
    is_call,
    item_id,
    logprobs_of,
    objects,
    pictures_of,
    text,
)
from workers.surfaces.responses_passage import Passage


class ResponsesWriter(EventWriter):
    """`response.*` events, numbered from 0."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._number = 0
        self._begun = False
        self._drafts: list[Draft] = []
        self._calls: dict[int, CallDraft] = {}
        # The one reasoning item that is still open, and the message; None: not there yet.
        self._reasoning: ReasoningDraft | None = None
        self._message: MessageDraft | None = None
        # What belongs to a message, perhaps to one that has not begun.
        self._logprobs: list[Body] = []
        self._annotations: list[Body] = []
        self._extra: Body = {}
        # A provider's own events, where it told any.
        self._passage = Passage(head)

    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """What a delta adds to the items; at the choice's finish, what closes them."""
        delta, finish = choice["delta"], choice.get("finish_reason")
        bodies = self._opening()
        if (event := delta.get(RESPONSE_EVENT)) is not None:
            return self._numbered([*bodies, self._passage.told(event)])
        if thought := text(delta.get("reasoning_content")):
            bodies += self._think(thought)
        elif objects(delta.get("reasoning_details")) and not self._thoughts:
            # The whole answer has an item for them.
            bodies += self._think("")
        self._logprobs += logprobs_of(choice)
        self._annotations += annotations_of(delta)
        if words := text(delta.get("content")):
            message, begun = self._the_message()
            bodies += [*begun, *message.say(words, self._logprobs)]
            self._logprobs = []
        if refusal := text(delta.get("refusal")):
            message, begun = self._the_message()
            bodies += [*begun, *message.refuse(refusal)]
        if isinstance(extra := delta.get("extra_content"), dict):
            self._extra = joined(self._extra, extra)
        for picture in pictures_of(delta):
            bodies += self._show(picture)
        for call in objects(delta.get("tool_calls")):
            bodies += self._call(call)
        if finish is not None:
            bodies += self._close(cut=finish in INCOMPLETE)
        return self._numbered(bodies)

    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """What is still open is closed, and the response ends, its items in the order they were told in."""
        bodies = self._opening()
        incomplete = answer["status"] == "incomplete"
        if not self._passage.begun:
            bodies += self._close(cut=incomplete) if self._drafts else _whole(answer["output"])
        kind = "response.incomplete" if incomplete else "response.completed"
        bodies.append({"type": kind, "response": {**answer, "output": self._told(answer["output"])}})
        return self._numbered(bodies)

    def failed(self, error: Mapping[str, Any], status: int) -> Sequence[Event]:
        """The error itself, then the response with it and with what was told so far."""
        told = error["error"]
        shown = failed_object(self._head, error, status)
        drafted = [draft.item("completed" if draft.closed else "incomplete") for draft in self._drafts]
        shown["output"] = [*drafted, *self._passage.items()]
        bodies = self._opening()
        bodies.append(
            {"type": "error", "code": told.get("code"), "message": told["message"], "param": told.get("param")}
        )
        bodies.append({"type": "response.failed", "response": shown})
        return self._numbered(bodies)

    def _told(self, output: Sequence[Body]) -> Sequence[Body]:
        """The stored items in the order they were told in; what was told, where those are not the same."""
        if not self._drafts:
            return output
        stored = {item["id"]: item for item in output}
        if stored.keys() == {draft.identifier for draft in self._drafts}:
            return [stored[draft.identifier] for draft in self._drafts]
        # A provider thought again after it had spoken: the stored answer has its thoughts in one item.
        return [draft.item() for draft in self._drafts]

    def _opening(self) -> list[Body]:
        if self._begun:
            return []
        self._begun = True
        kinds = ("response.created", "response.in_progress")
        return [{"type": kind, "response": response_object(self._head, "in_progress")} for kind in kinds]

    @property
    def _thoughts(self) -> int:
        """How many reasoning items there are."""
        return sum(isinstance(draft, ReasoningDraft) for draft in self._drafts)

    def _think(self, words: str) -> list[Body]:
        begun: list[Body] = []
        if self._reasoning is None:
            self._reasoning = ReasoningDraft(item_id(self._head, "rs_", self._thoughts), len(self._drafts))
            begun = self._add(self._reasoning)
        return [*begun, *(self._reasoning.think(words) if words else ())]

    def _the_message(self) -> tuple[MessageDraft, list[Body]]:
        """The message, and what tells that it, or its next part, begins."""
        begun = self._thought()
        if self._message is None:
            self._message = MessageDraft(item_id(self._head, "msg_"), len(self._drafts))
            begun += self._add(self._message)
        return self._message, begun

    def _show(self, picture: str) -> list[Body]:
        begun = self._thought()
        place = sum(isinstance(draft, PictureDraft) for draft in self._drafts)
        draft = PictureDraft(item_id(self._head, "ig_", place), len(self._drafts), picture)
        return [*begun, *self._add(draft), *draft.close("completed")]

    def _call(self, call: Mapping[str, Any]) -> list[Body]:
        index = call.get("index")
        place = index if isinstance(index, int) else len(self._calls)
        begun: list[Body] = []
        if place not in self._calls:
            if not is_call(call):
                return []
            begun = self._thought()
            call_id = text(call.get("id")) or fallback_call_id(self._head, place)
            draft = CallDraft(item_id(self._head, "fc_", place), len(self._drafts), call_id, call["function"]["name"])
            self._calls[place] = draft
            begun += self._add(draft)
        function, extra = call.get("function"), call.get("extra_content")
        arguments = text(function.get("arguments")) if isinstance(function, dict) else ""
        return [*begun, *self._calls[place].more(arguments, extra if isinstance(extra, dict) else {})]

    def _thought(self) -> list[Body]:
        """What closes the open reasoning, where there is one."""
        reasoning, self._reasoning = self._reasoning, None
        return [] if reasoning is None else reasoning.close("completed")

    def _close(self, *, cut: bool) -> list[Body]:
        """What closes the open items; the last one is incomplete where the answer was `cut`."""
        begun = [] if self._drafts else self._the_message()[1]
        if begun and self._message is not None:
            begun += self._message.say("", ())
        if self._message is not None and not self._message.closed:
            self._message.add_logprobs(self._logprobs)
            self._message.annotations, self._message.extra = self._annotations, self._extra
        self._reasoning = None
        bodies = begun
        for draft in self._drafts:
            if not draft.closed:
                last = draft is self._drafts[-1]
                bodies += draft.close("incomplete" if cut and last else "completed")
        return bodies

    def _add(self, draft: Draft) -> list[Body]:
        self._drafts.append(draft)
        return draft.open()

    def _numbered(self, bodies: Sequence[Body]) -> list[Event]:
        first, self._number = self._number, self._number + len(bodies)
        return [
            Event({**body, "sequence_number": number}, name=body["type"]) for number, body in enumerate(bodies, first)
        ]


def _whole(output: Sequence[Body]) -> list[Body]:
    """Items that nothing was told of before."""
    kinds = ("response.output_item.added", "response.output_item.done")
    return [{"type": kind, "output_index": index, "item": item} for index, item in enumerate(output) for kind in kinds]
