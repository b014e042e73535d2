"""One streamed call while it lasts: what came of it goes out at once, from its first content on."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from routing.job import Usage
from workers import frames
from workers.continuation import Beginning
from workers.frames import RESPONSE_EVENT, Speaker
from workers.providers.base import AnswerStream
from workers.reading import text
from workers.relay import Outgoing

# What is left of an answer that was cut short is counted like a prompt: English text runs near four characters a token.
_CHARACTERS_PER_TOKEN = 4


class LiveCall:
    """What one call has said so far. Until it says something, nothing goes out, and another may be called instead."""

    __slots__ = ("_characters", "_held", "_outgoing", "_speaker", "_spoke", "begun", "reader", "spoke_at")

    def __init__(self, outgoing: Outgoing, speaker: Speaker, begun: Beginning | None = None) -> None:
        """`begun` is what was said before this call, which goes on with it."""
        self.begun = begun
        self._outgoing = outgoing
        self._speaker = speaker
        self._held: list[str] = []
        # What reads the answer, once there is one.
        self.reader: AnswerStream | None = None
        # Of content, reasoning and arguments.
        self._characters = 0
        self._spoke = False
        # When it said its first word, monotonic seconds.
        self.spoke_at: float | None = None

    def take(self, choices: Sequence[Mapping[str, Any]]) -> None:
        """Send on what came in."""
        if self.begun is not None and self.begun.is_open and not self._spoke:
            choices = [_without_blanks(choice) for choice in choices]
        lines = [frames.line(choice) for choice in choices if choice["delta"] or choice.get("finish_reason")]
        if not self._spoke:
            if not any(choice["delta"] for choice in choices):
                # A finish without a word: it may yet turn out to be none.
                self._held += lines
                return
            self._spoke, self.spoke_at = True, time.monotonic()
            lines = [frames.speaker_line(self._speaker), *self._held, *lines]
        self._characters += sum(_length(choice["delta"]) for choice in choices)
        self._outgoing.write(lines)

    def end(self) -> None:
        """Send on what was held back of an answer that has ended well, and without a word."""
        if not self._spoke:
            self._outgoing.write([frames.speaker_line(self._speaker), *self._held])

    def used(self, prompt_tokens: int) -> Usage:
        """What was used until now: as the provider says, else estimated. `prompt_tokens` is the prompt's estimate.

        Nothing, as far as anybody knows, where there was no answer yet.
        """
        told = Usage() if self.reader is None else self.reader.usage
        if not self._spoke:
            return told
        return Usage(
            prompt_tokens=told.prompt_tokens or prompt_tokens,
            completion_tokens=max(told.completion_tokens, self._characters // _CHARACTERS_PER_TOKEN),
            cached_tokens=told.cached_tokens,
            reasoning_tokens=told.reasoning_tokens,
        )


def _length(delta: Mapping[str, Any]) -> int:
    """The characters a delta adds to what was generated."""
    if RESPONSE_EVENT in delta:
        return len(text(delta[RESPONSE_EVENT].get("delta")))
    if "tool_calls" in delta:
        return sum(len((call.get("function") or {}).get("arguments") or "") for call in delta["tool_calls"])
    return sum(len(words) for words in delta.values() if isinstance(words, str))


def _without_blanks(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    content = choice["delta"].get("content")
    if not content:
        return choice
    delta = {**choice["delta"], "content": content.lstrip()}
    if not delta["content"]:
        del delta["content"]
    return {**choice, "delta": delta}
