"""Reading the stream of an OpenAI-compatible vendor: `chat.completion.chunk` events, whatever their accent.

The end is [DONE]. A vendor that leaves it out has ended its answer when each choice has its finish reason.
"""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.base import Account, Completion, json_object
from workers.providers.call_pieces import CallPieces
from workers.providers.event_stream import EventStream, entry_of
from workers.providers.openai_answer import (
    FAILED_FINISH_REASONS,
    finish_reason,
    hidden_error,
    settle_content,
    settled,
    usage_of,
)
from workers.providers.reader import count, mapping, text
from workers.providers.sse import Event

_TEXTS = frozenset({"content", "reasoning_content", "refusal"})
# Other fields of a delta that are passed on, and what each must be.
_KEPT: Mapping[str, type] = {
    "function_call": dict,
    "audio": dict,
    "annotations": list,
    "extra_content": dict,
    "images": list,
    "reasoning_details": list,
}
# Fields of a chunk that are no part of the whole answer; `obfuscation` is padding.
_CHUNK_ONLY = frozenset({"choices", "usage", "object", "obfuscation", "error", "x_groq"})


class OpenAIStream(EventStream):
    """One stream of chunks."""

    def __init__(self, account: Account, model: str, headers: Mapping[str, str]) -> None:
        super().__init__(account, model, headers)
        # What the chunks say beside choices and usage: id, model, system_fingerprint, ...
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}

    @property
    def usage(self) -> Usage:
        """The usage of the last chunk that told one."""
        return usage_of(self._usage)[0]

    @property
    def _ended(self) -> bool:
        return self._done or self._answer.finished

    def _read(self, event: Event) -> list[dict[str, Any]]:
        if event.data.startswith(b"[DONE]"):
            self._done = True
            return [entry for index, choice in self._choices.items() for entry in choice.finish(index, "stop")]
        chunk = json_object(event.data, 200)
        if chunk.get("error") or event.name == "error" or chunk.get("object") == "error":
            raise hidden_error(self._account, self._reply, chunk)
        if usage := chunk.get("usage"):
            self._usage = mapping(usage)
        choices = chunk.get("choices")
        if not choices or not self._choices:
            self._note(chunk)
            if not choices:
                return self._without_choices(chunk)
        if not isinstance(choices, list):
            raise MalformedAnswer(f"{self._account.name} streamed choices that are no list", upstream_status=200)
        entries: list[dict[str, Any]] = []
        for given in choices:
            entries += self._choice(chunk, given)
        return entries

    def _choice(self, chunk: dict[str, Any], given: Any) -> list[dict[str, Any]]:
        if not isinstance(given, dict):
            raise MalformedAnswer(f"{self._account.name} streamed a choice that is no object", upstream_status=200)
        index = count(given.get("index"))
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        delta = choice.settle(mapping(given.get("delta")))
        logprobs = mapping(given.get("logprobs"))
        entries = [entry_of(index, delta, logprobs=logprobs)] if delta or logprobs else []
        if reason := text(given.get("finish_reason")):
            if reason in FAILED_FINISH_REASONS:
                raise hidden_error(self._account, self._reply, given)
            self._note(chunk)
            finish = choice.finish(index, reason)
            if finish and (met := text(given.get("stop_reason"))):
                # The stop sequence, as vLLM tells it.
                finish[0]["stop_reason"] = met
            entries += finish
        return entries

    def _note(self, chunk: dict[str, Any]) -> None:
        """Keep what the first chunk, those that finish a choice and those without choices say of the whole."""
        for name, value in chunk.items():
            if name not in _CHUNK_ONLY:
                self._head[name] = value
        if groq := mapping(chunk.get("x_groq")):
            if groq.get("error"):
                raise hidden_error(self._account, self._reply, groq)
            # Groq's own place for the usage, asked for or not.
            self._usage = self._usage or mapping(groq.get("usage"))
            told = {name: value for name, value in groq.items() if name != "usage"}
            self._head["x_groq"] = {**mapping(self._head.get("x_groq")), **told}

    def _without_choices(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Usage, or a vendor's own news; anything else is not the dialect."""
        if "choices" not in chunk and "usage" not in chunk and "object" not in chunk:
            raise MalformedAnswer(f"{self._account.name} streamed a chunk without choices", upstream_status=200)
        return []

    def _whole(self) -> Completion:
        return settled({**self._head, "choices": self._answer.choices(), "usage": self._usage}, self._model)


class _Choice:
    """What must be known of a choice to settle its next delta."""

    def __init__(self) -> None:
        self._calls = CallPieces()
        self._finished = False

    def settle(self, delta: dict[str, Any]) -> dict[str, Any]:
        """`delta` in OpenAI's form, without what says nothing."""
        said: dict[str, Any] = {}
        for name, value in delta.items():
            if not value or name == "role":
                continue
            if name in _TEXTS and isinstance(value, str):
                said[name] = value
            elif name == "reasoning":
                # Groq, OpenRouter and vLLM name it so.
                if isinstance(value, str) and not delta.get("reasoning_content"):
                    said["reasoning_content"] = value
            elif name == "tool_calls":
                if calls := self._calls.settle(value):
                    said["tool_calls"] = calls
            elif name == "content":
                settle_content(said, value)
                said = {part: words for part, words in said.items() if words}
            elif name in _KEPT and isinstance(value, _KEPT[name]):
                said[name] = value
        return said

    def finish(self, index: int, reason: str) -> list[dict[str, Any]]:
        """The entry that finishes the choice; none where one has done so."""
        if self._finished:
            return []
        self._finished = True
        self._calls.check()
        return [entry_of(index, {}, finish_reason(reason, calls=bool(self._calls)))]
