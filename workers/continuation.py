"""Going on with an answer that broke off: what was said already is put in front of the next call. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workers import frames
from workers.frames import Speaker
from workers.providers.base import Completion

# The capability of a deployment that goes on with the beginning of its own answer, as providers.json lists it.
PREFIX = "prefix"
# What a beginning may be made of: anything else cannot be said again as the start of an assistant's message.
_SAYABLE = frozenset({"content", "reasoning_content"})


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the caller was sent of an answer. Another model is given it without blanks at its end: some refuse them."""

    said: str

    @classmethod
    def of_lines(cls, lines: Iterable[bytes | str]) -> "Beginning | None":
        """The beginning in a stream's frames; None where no other model can go on from there.

        Reasoning is left out; a tool call, a second choice or a finish rule it out.
        """
        said = []
        for line in lines:
            frame = frames.read(line)
            if isinstance(frame, Speaker):
                continue
            if frame["index"] != 0 or frame.get("finish_reason") is not None or not frame["delta"].keys() <= _SAYABLE:
                return None
            said.append(frame["delta"].get("content") or "")
        text = "".join(said)
        return cls(text) if text.strip() else None

    @property
    def is_open(self) -> bool:
        """Whether it ends in a blank, so that none must follow."""
        return self.said[-1].isspace()

    def asked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request with the beginning of its answer as its last message."""
        # `prefix` is what Mistral calls it; the adapters leave it out for all others.
        last = {"role": "assistant", "content": self.said.rstrip(), "prefix": True}
        return {**request, "messages": [*request.get("messages", ()), last]}

    def whole(self, completion: Completion) -> Completion:
        """The answer together with its beginning."""
        first, *others = completion.body["choices"]
        rest = first["message"].get("content") or ""
        message = {**first["message"], "content": self.said + (rest.lstrip() if self.is_open else rest)}
        return Completion({**completion.body, "choices": [{**first, "message": message}, *others]}, completion.usage)
