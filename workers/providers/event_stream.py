"""What every dialect's stream of events has in common: parsing, the end, and the gathering of the whole answer."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer, ProviderError
from workers.providers.accumulator import Accumulator
from workers.providers.base import Account, AnswerStream, Completion, Reply
from workers.providers.sse import Event, EventParser


class EventStream(AnswerStream):
    """A stream of server-sent events; a dialect reads one event at a time."""

    def __init__(self, account: Account, model: str, headers: Mapping[str, str]) -> None:
        self._account = account
        self._model = model
        # What an error event is classed with: the answer's headers may say how long to wait.
        self._reply = Reply(200, headers, b"")
        self._parser = EventParser()
        self._answer = Accumulator()
        self._done = False
        self._failure: ProviderError | None = None

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The entries that `data` completes; what comes after the end event is ignored."""
        if self._failure is not None:
            raise self._failure
        if self._done:
            return []
        entries: list[dict[str, Any]] = []
        try:
            for event in self._parser.feed(data):
                if not self._done:
                    entries += self._read(event)
        except ProviderError as error:
            if not entries:
                raise
            # What came before it is told first, however the bytes were cut.
            self._failure = error
        self._gather(entries)
        return entries

    def completion(self) -> Completion:
        """The whole answer; MalformedAnswer where its end was not seen, or the error that ended it."""
        if self._failure is not None:
            raise self._failure
        if not self._ended:
            raise MalformedAnswer(f"{self._account.name} ended its stream before the answer's end", upstream_status=200)
        return self._whole()

    @property
    def done(self) -> bool:
        """Whether the dialect's own end was seen."""
        return self._done

    @property
    def _ended(self) -> bool:
        """Whether the answer is whole should the body end now."""
        return self._done

    def _gather(self, entries: list[dict[str, Any]]) -> None:
        """Take them into the whole answer; for dialects whose end does not tell it."""
        self._answer.add(entries)

    @abstractmethod
    def _read(self, event: Event) -> list[dict[str, Any]]:
        """The entries of one event; sets `_done` at the end."""

    @abstractmethod
    def _whole(self) -> Completion:
        """The completion out of what was gathered."""


def entry_of(
    index: int, delta: dict[str, Any], finish_reason: str | None = None, logprobs: Any = None
) -> dict[str, Any]:
    """One entry of a chunk's `choices`."""
    entry: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": finish_reason}
    if logprobs:
        entry["logprobs"] = logprobs
    return entry
