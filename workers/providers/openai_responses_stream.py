"""Reading the stream of a vendor's own Responses endpoint: its events are passed on, one to a delta.

How a response begins and ends is the router's to tell: of those events, only what the last one says is kept.
"""

from collections.abc import Mapping
from typing import Any

from routing.job import Usage
from workers.frames import RESPONSE_EVENT
from workers.providers.base import Account, Completion, json_object
from workers.providers.event_stream import EventStream, entry_of
from workers.providers.openai_answer import hidden_error
from workers.providers.openai_responses import settled, usage_of
from workers.providers.reader import mapping, text
from workers.providers.sse import Event

_OPENING = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDING = frozenset({"response.completed", "response.incomplete"})
_FAILING = frozenset({"response.failed", "response.cancelled"})


class ResponsesStream(EventStream):
    """One stream of `response.*` events. Without the event that ends it, it was cut."""

    def __init__(self, account: Account, model: str, headers: Mapping[str, str]) -> None:
        super().__init__(account, model, headers)
        # What only says that something will come: until it does, another provider may be asked.
        self._held: list[dict[str, Any]] = []
        self._response: dict[str, Any] = {}

    @property
    def usage(self) -> Usage:
        """The usage of the response that has ended; nothing is told before."""
        return usage_of(mapping(self._response.get("usage")))[0]

    def _read(self, event: Event) -> list[dict[str, Any]]:
        if event.data.startswith(b"[DONE]"):
            return []
        told = json_object(event.data, 200)
        kind = text(told.get("type")) or event.name
        if kind in _FAILING:
            response = mapping(told.get("response"))
            raise hidden_error(self._account, self._reply, response if response.get("error") else {"error": {}})
        if kind == "error" or (told.get("error") and not kind.startswith("response.")):
            raise hidden_error(self._account, self._reply, told)
        if kind in _ENDING:
            self._response, self._done = mapping(told.get("response")), True
            return self._released()
        if kind in _OPENING or not kind.startswith("response."):
            return []
        self._held.append(entry_of(0, {RESPONSE_EVENT: {**told, "type": kind}}))
        return [] if kind.endswith(".added") else self._released()

    def _released(self) -> list[dict[str, Any]]:
        held, self._held = self._held, []
        return held

    def _gather(self, entries: list[dict[str, Any]]) -> None:
        """Nothing: the last event tells the whole response."""

    def _whole(self) -> Completion:
        return settled(self._account, self._model, self._reply, self._response)
