"""The whole answer out of the deltas of a stream, for every dialect."""

from collections.abc import Iterable
from io import StringIO
from typing import Any

from workers.providers.completion import choice_of, message_of

# Texts that come in pieces wherever they stand in an object; any other value is told once, or the last one holds.
_JOINED = frozenset({"arguments", "input", "data", "transcript"})


class Accumulator:
    """Gathers `choices` entries of chunks, as AnswerStream gives them, into the choices of a completion."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}

    def add(self, entries: Iterable[dict[str, Any]]) -> None:
        """Take in the entries of one piece."""
        for entry in entries:
            choice = self._choices.get(entry["index"])
            if choice is None:
                choice = self._choices[entry["index"]] = _Choice()
            choice.add(entry)

    @property
    def finished(self) -> bool:
        """Whether there are choices, and each has its finish reason."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    def choices(self) -> list[dict[str, Any]]:
        """The choices so far, by their index."""
        return [choice.whole(index) for index, choice in sorted(self._choices.items())]


class _Choice:
    """One choice so far. Texts are kept as one buffer each: a piece is a few characters, and its object many bytes."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self._stop_reason: Any = None
        self._texts = {name: StringIO() for name in ("content", "reasoning_content", "refusal")}
        self._calls: dict[int, _Call] = {}
        self._logprobs: dict[str, list[Any]] = {}
        self._extras: dict[str, Any] = {}

    def add(self, entry: dict[str, Any]) -> None:
        for name, value in entry["delta"].items():
            if name in self._texts:
                self._texts[name].write(value)
            elif name == "tool_calls":
                for call in value:
                    self._calls.setdefault(call["index"], _Call()).add(call)
            else:
                self._extras[name] = _merged(self._extras.get(name), value, name)
        for name, steps in (entry.get("logprobs") or {}).items():
            if isinstance(steps, list):
                self._logprobs.setdefault(name, []).extend(steps)
        self.finish_reason = entry["finish_reason"] or self.finish_reason
        self._stop_reason = entry.get("stop_reason", self._stop_reason)

    def whole(self, index: int) -> dict[str, Any]:
        texts = {name: buffer.getvalue() for name, buffer in self._texts.items()}
        message = message_of(
            texts["content"],
            reasoning=texts["reasoning_content"],
            tool_calls=[call.whole() for _, call in sorted(self._calls.items())],
            refusal=texts["refusal"] or None,
        )
        message.update(self._extras)
        if "reasoning_details" in message:
            message["reasoning_details"] = _joined_details(message["reasoning_details"])
        logprobs = {"content": None, "refusal": None, **self._logprobs} if self._logprobs else None
        choice = choice_of(index, message, self.finish_reason, logprobs)
        # The stop sequence that was met, as vLLM names it.
        return choice if self._stop_reason is None else {**choice, "stop_reason": self._stop_reason}


class _Call:
    """One tool call so far: what was told once, and its arguments (a custom tool's input)."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._body = "function"
        self._words = StringIO()

    def add(self, piece: dict[str, Any]) -> None:
        for name, value in piece.items():
            if name in ("function", "custom"):
                self._body = name
                self._words.write(value.get("arguments") or value.get("input") or "")
                self._head.setdefault(name, {}).update({key: v for key, v in value.items() if key not in _JOINED})
            elif name != "index":
                self._head[name] = _merged(self._head.get(name), value, name)

    def whole(self) -> dict[str, Any]:
        words = self._words.getvalue()
        said = {"arguments": words or "{}"} if self._body == "function" else {"input": words}
        return {**self._head, self._body: {**self._head.get(self._body, {}), **said}}


def _merged(old: Any, new: Any, name: str) -> Any:
    """`new` laid over `old`: objects by their names, lists one after the other."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value, key) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return old + new
    if isinstance(old, str) and isinstance(new, str) and name in _JOINED:
        return old + new
    return new


def _joined_details(details: list[Any]) -> list[Any]:
    """OpenRouter's reasoning_details with the pieces of one detail joined: same type, same index, successive."""
    joined: list[Any] = []
    for detail in details:
        last = joined[-1] if joined else None
        if not isinstance(detail, dict) or not isinstance(last, dict) or _mark(detail) != _mark(last):
            joined.append(detail)
            continue
        told = {name: value for name, value in detail.items() if value is not None}
        for name in ("text", "summary", "data"):
            if isinstance(last.get(name), str) and isinstance(told.get(name), str):
                told[name] = last[name] + told[name]
        joined[-1] = {**last, **told}
    return joined


def _mark(detail: dict[str, Any]) -> tuple[Any, Any]:
    return detail.get("type"), detail.get("index")
