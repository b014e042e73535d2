"""What a surface is: one of the forms in which callers ask and are answered. Pure.

Every job is a chat or an embeddings request underneath. A surface turns its own request into that, and an answer or
its stream back into its own form. What it needs of the original request, and nothing else, is the job's `echo`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from routing.job import Usage
from workers.reading import count, mapping

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class Endpoint(StrEnum):
    """What a provider is asked for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    # Its own Responses endpoint, for what was asked as a response.
    RESPONSES = "responses"


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says of its job: `model` is who answers, `created` in Unix seconds."""

    job_id: str
    model: str
    created: int
    # Of a stream: whether its last chunk tells the usage.
    include_usage: bool = False
    echo: Mapping[str, Any] = field(default_factory=dict)

    def identifier(self, prefix: str) -> str:
        """An object's id in the surface's form; the same every time, so that a stream can be told again."""
        return prefix + self.job_id.removeprefix("job_")


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `name` is None where the surface's events have none."""

    data: Mapping[str, Any]
    name: str | None = None


def compact(value: Any) -> str:
    """`value` as JSON without blanks: an event may be a few characters of text, and hundreds around them."""
    return _ENCODER.encode(value)


class EventWriter(ABC):
    """Tells one stream in a surface's events.

    The same calls give the same events, whichever process makes them: they are numbered, and a stream is told again
    from its beginning to whoever comes back for the rest. So nothing in them is random or read from a clock.
    """

    @property
    def content_around(self) -> tuple[bytes, bytes] | None:
        """What stands before and after a piece of choice 0's content, as JSON, in the one event that is made of it.

        None while such a piece needs `choice`. It spares most events their making.
        """
        return None

    @abstractmethod
    def choice(self, choice: Mapping[str, Any]) -> Sequence[Event]:
        """The events of one choice delta, in OpenAI's form.

        It has `index`, `delta` (without the role), perhaps `finish_reason` and `logprobs`. The first call's events
        are preceded by those that open the stream. A choice's finish_reason comes last.
        """

    @abstractmethod
    def completed(self, answer: Mapping[str, Any]) -> Sequence[Event]:
        """The events that end a stream whose job has this answer, in the surface's form, with `routing_metadata`."""

    @abstractmethod
    def failed(self, error: Mapping[str, Any], status: int) -> Sequence[Event]:
        """The events that end a stream whose job ended so, perhaps before any choice.

        `error` is a body in OpenAI's form, perhaps with `routing_metadata`.
        """


class Surface(ABC):
    """One form of asking and answering. Stateless; one of each per process."""

    name: ClassVar[str]
    endpoint: ClassVar[Endpoint] = Endpoint.CHAT
    # What ends a stream after its last event.
    terminator: ClassVar[bytes] = b""

    @abstractmethod
    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:
        """A provider's answer in the surface's form; `body` is a `chat.completion` (or OpenAI's list of embeddings)."""

    @abstractmethod
    def writer(self, head: Head) -> EventWriter:
        """A writer for one stream, from its beginning."""

    def usage(self, answer: Mapping[str, Any]) -> Usage:
        """The tokens that an answer in the surface's form tells of; OpenAI's chat form unless it says otherwise."""
        told = mapping(answer.get("usage"))
        return Usage(
            prompt_tokens=count(told.get("prompt_tokens")),
            completion_tokens=count(told.get("completion_tokens")),
            cached_tokens=count(mapping(told.get("prompt_tokens_details")).get("cached_tokens")),
            reasoning_tokens=count(mapping(told.get("completion_tokens_details")).get("reasoning_tokens")),
        )

    def error(self, body: dict[str, Any], status: int, request_id: str = "") -> dict[str, Any]:  # noqa: ARG002
        """An error in the surface's form; `body` is in OpenAI's. `request_id` is for a form that repeats it."""
        return body
