"""What every vendor's dialect is: it reads requests, writes answers and refuses in that vendor's words. No I/O."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.answer import Answer
from sandbox.identifiers import Identifiers
from sandbox.meter import Exceeded, Gauges
from sandbox.prompt import Prompt

Headers = tuple[tuple[str, str], ...]
JSON_TYPE = ("Content-Type", "application/json")
SSE_TYPE = ("Content-Type", "text/event-stream")


class Operation(StrEnum):
    """What a path stands for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MODELS = "models"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request below the provider's name. Header names are lower-case; `query` has each key's first value."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked for, and the parts of it that some vendors put into the path."""

    operation: Operation
    model: str = ""
    stream: bool = False
    # The version of the API that a header asks for.
    version: str = ""
    # Several texts are embedded at once.
    batch: bool = False
    # A streamed answer comes as events (SSE) rather than as one growing document.
    events: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in one piece."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer piece by piece, each about a token."""

    headers: Headers
    frames: Sequence[bytes]


class Refusal(Exception):
    """The vendor would refuse this request with `reply`."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Dialect(ABC):
    """One vendor's wire format, for one provider name."""

    def __init__(self, provider: str, identifiers: Identifiers) -> None:
        self.provider = provider
        self.identifiers = identifiers

    @abstractmethod
    def key(self, request: Request) -> str:
        """The caller's key. Raises Refusal where it is missing, blank, or starts with `bad`."""

    @abstractmethod
    def route(self, request: Request) -> Route:
        """What the path asks for. Raises Refusal for a path this vendor has not."""

    @abstractmethod
    def prompt(self, payload: Any, route: Route) -> Prompt:
        """Read a chat request, JSON already. Raises Refusal where the vendor would."""

    @abstractmethod
    def reply(self, prompt: Prompt, answer: Answer, gauges: Gauges) -> Reply:
        """The answer in one piece."""

    @abstractmethod
    def stream(self, prompt: Prompt, answer: Answer, gauges: Gauges, route: Route) -> Stream:
        """The answer as a stream."""

    @abstractmethod
    def models(self, route: Route) -> Reply:
        """The list of models, or the one that `route` names."""

    def embeddings(self, payload: Any, route: Route, gauges: Gauges) -> tuple[str, int, Reply]:
        """Embed texts: the model, the tokens, the answer. Raises Refusal; only for dialects that route to it."""
        raise NotImplementedError

    @abstractmethod
    def broken_json(self, body: bytes, reason: str) -> Refusal:
        """The body is not JSON."""

    @abstractmethod
    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt does not fit the model's context."""

    @abstractmethod
    def rate_limited(self, model: str, exceeded: Exceeded) -> Refusal:
        """A limit is reached."""

    @abstractmethod
    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """Any status of 400 to 599, as this vendor words it."""

    def error_event(self, status: int, route: Route) -> bytes:
        """The event that tells of an error in the midst of a stream."""
        del route
        return b"data: " + self.failure(status, None).reply.body + b"\n\n"
