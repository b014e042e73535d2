"""An answer in one piece to a call that asked for a stream: read as it is, told as one delta per choice."""

from collections.abc import Callable, Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.base import AnswerStream, Completion, Reply


def is_whole(headers: Mapping[str, str]) -> bool:
    """Whether an answer's `headers`, names in lower case, say that its body is one JSON document."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class WholeAnswer(AnswerStream):
    """Gathers the body and has `read` translate it once it is a whole JSON object."""

    def __init__(self, headers: Mapping[str, str], read: Callable[[Reply], Completion]) -> None:
        self._headers = headers
        self._read = read
        self._pieces: list[bytes] = []
        self._completion: Completion | None = None

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The choices, with the piece that ends the body; raises the error the body stands for."""
        if self._completion is not None:
            return []
        self._pieces.append(data)
        # The end of the body is not told: an object ends with a brace, though not every brace ends it.
        if not data.rstrip().endswith(b"}"):
            return []
        reply = Reply(200, self._headers, b"".join(self._pieces))
        try:
            reply.json_object()
        except MalformedAnswer:
            return []
        self._completion = self._read(reply)
        self._pieces.clear()
        # A `response` has no choices: it is told once it has ended.
        return [delta_of(choice) for choice in self._completion.body.get("choices", ())]

    def completion(self) -> Completion:
        """The answer as it came; MalformedAnswer where the body was no whole JSON object."""
        if self._completion is None:
            raise MalformedAnswer("the provider's answer is not a JSON object", upstream_status=200)
        return self._completion

    @property
    def usage(self) -> Usage:
        """The answer's usage, once it is read."""
        return self._completion.usage if self._completion is not None else Usage()

    @property
    def done(self) -> bool:
        """Whether the JSON object is whole."""
        return self._completion is not None


def delta_of(choice: Mapping[str, Any]) -> dict[str, Any]:
    """A choice of a `chat.completion` as the one entry of a stream that tells it all."""
    delta = {name: value for name, value in choice["message"].items() if name != "role" and value not in (None, "", [])}
    if "tool_calls" in delta:
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(delta["tool_calls"])]
    entry = {"index": choice["index"], "delta": delta, "finish_reason": choice["finish_reason"]}
    if choice.get("logprobs"):
        entry["logprobs"] = choice["logprobs"]
    return entry
