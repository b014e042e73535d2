"""Legacy text completions, told to a chat model: the prompt is its one user message."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workers.reading import mapping, objects, text
from workers.surfaces.base import Event, EventWriter, Head, Surface, compact

# OpenAI's own default for this API.
DEFAULT_MAX_TOKENS = 16
_TRANSLATED = frozenset({"prompt", "suffix", "best_of", "echo", "logprobs", "max_tokens"})
# A text has no calls to end with.
_FINISH_REASONS = frozenset({"stop", "length", "content_filter"})
# Stands for a piece of text where its event is cut in two.
_HERE = "\x00"


def chat_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """The chat request that a checked body asks for."""
    chat = {name: value for name, value in body.items() if name not in _TRANSLATED}
    chat["messages"] = [{"role": "user", "content": prompt_of(body)}]
    chat["max_tokens"] = body.get("max_tokens") or DEFAULT_MAX_TOKENS
    if (most := body.get("logprobs")) is not None:
        chat["logprobs"] = True
        chat["top_logprobs"] = most
    return chat


def prompt_of(body: Mapping[str, Any]) -> str:
    """The one prompt of a checked body."""
    prompt = body["prompt"]
    return str(prompt if isinstance(prompt, str) else prompt[0])


def echo_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the request its answer repeats."""
    return {"prompt": prompt_of(body)} if body.get("echo") else {}


class Completions(Surface):
    """`POST /v1/completions`."""

    name: ClassVar[str] = "completions"
    terminator: ClassVar[bytes] = b"data: [DONE]\n\n"

    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:
        """A `text_completion`; with `echo` the prompt stands before each text."""
        told = {
            "id": head.identifier("cmpl-"),
            "object": "text_completion",
            "created": head.created,
            "model": head.model,
            "choices": [_choice(choice, text(head.echo.get("prompt"))) for choice in objects(body.get("choices"))],
            "usage": body.get("usage"),
        }
        if body.get("system_fingerprint") is not None:
            told["system_fingerprint"] = body["system_fingerprint"]
        return told

    def writer(self, head: Head) -> EventWriter:
        """`text_completion` objects, one for each piece of text."""
        return CompletionsWriter(head)


class CompletionsWriter(EventWriter):
    """Pieces of text. How the job was routed stands in the last one."""

    def __init__(self, head: Head) -> None:
        self._include_usage = head.include_usage
        self._prompt = text(head.echo.get("prompt"))
        self._common: dict[str, Any] = {
            "id": head.identifier("cmpl-"),
            "object": "text_completion",
            "created": head.created,
            "model": head.model,
        }
        if head.include_usage:
            self._common["usage"] = None
        self._around = self._piece_around()
        # How much text each choice has so far, in characters.
        self._lengths: dict[int, int] = {}
        # They wait for the end, as one of them may be the last.
        self._finishes: list[dict[str, Any]] = []

    @property
    def content_around(self) -> tuple[bytes, bytes] | None:
        """A piece of text with the text left out, once choice 0 has begun."""
        return self._around if 0 in self._lengths else None

    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """A piece of one text, after the prompt if that is repeated."""
        index, finish = choice["index"], choice.get("finish_reason")
        delta = choice["delta"]
        words = text(delta.get("content")) or text(delta.get("refusal"))
        events = []
        if index not in self._lengths:
            self._lengths[index] = len(self._prompt)
            if self._prompt:
                events.append(self._piece(index, self._prompt, None))
        logprobs = _logprobs(choice.get("logprobs"), self._lengths[index])
        if words or logprobs is not None:
            self._lengths[index] += len(words)
            events.append(self._piece(index, words, logprobs))
        if finish is not None:
            self._finishes.append({"text": "", "index": index, "logprobs": None, "finish_reason": _finish(finish)})
        return events

    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """The finish of each text, and the usage where it was asked for."""
        chunks = [{**self._common, "choices": [finish]} for finish in self._finishes]
        if self._include_usage:
            chunks.append({**self._common, "choices": [], "usage": answer.get("usage")})
        if chunks:
            chunks[-1]["routing_metadata"] = answer.get("routing_metadata")
        return [Event(chunk) for chunk in chunks]

    def failed(self, error: Mapping[str, Any], status: int) -> Sequence[Event]:  # noqa: ARG002
        """OpenAI's error where the next piece would be."""
        return (Event(error),)

    def _piece_around(self) -> tuple[bytes, bytes]:
        before, _, after = compact(self._piece(0, _HERE, None).data).partition(json.dumps(_HERE))
        return f"data: {before}".encode(), f"{after}\n\n".encode()

    def _piece(self, index: int, words: str, logprobs: Any) -> Event:
        choice = {"text": words, "index": index, "logprobs": logprobs, "finish_reason": None}
        return Event({**self._common, "choices": [choice]})


def _choice(choice: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    message = mapping(choice.get("message"))
    return {
        "text": prompt + (text(message.get("content")) or text(message.get("refusal"))),
        "index": choice.get("index", 0),
        "logprobs": _logprobs(choice.get("logprobs"), len(prompt)),
        "finish_reason": _finish(choice.get("finish_reason")),
    }


def _finish(reason: Any) -> str:
    return reason if text(reason) in _FINISH_REASONS else "stop"


def _logprobs(logprobs: Any, offset: int) -> dict[str, Any] | None:
    """Log probabilities in the legacy form; `offset` is where in the text, in characters, the first token stands."""
    steps = objects(mapping(logprobs).get("content"))
    if not steps:
        return None
    tokens = [text(step.get("token")) for step in steps]
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token)
    tops = [{text(top.get("token")): top.get("logprob") for top in objects(step.get("top_logprobs"))} for step in steps]
    return {
        "tokens": tokens,
        "token_logprobs": [step.get("logprob") for step in steps],
        "top_logprobs": tops if any(tops) else None,
        "text_offset": offsets,
    }
