"""What every provider dialect is: a pure translator between OpenAI's chat form and one vendor's wire. No I/O here."""

import json
from abc import ABC, abstractmethod
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from routing.errors import MalformedAnswer, NotExpressible, ProviderError
from routing.job import Usage
from routing.permits import Gauge
from workers.providers.gauges import header_gauges

# NaN and Infinity are no JSON: a caller could not read an answer that repeats them.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a provider is reached and with what. `endpoint` is a base URL or a full one, as the operator wrote it."""

    name: str
    endpoint: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to a provider: a POST of JSON, but for the question for its models."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's HTTP answer, read to its end. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; MalformedAnswer where it is none."""
        return json_object(self.body, self.status)


@dataclass(frozen=True, slots=True)
class Completion:
    """A provider's answer and its usage as counted.

    `body` is in OpenAI's form: a `chat.completion`, a list of embeddings, or a `response`.
    """

    body: dict[str, Any]
    usage: Usage


class AnswerStream(ABC):
    """Reads one streamed answer: bytes in, OpenAI's choice deltas out. Pure; one per call, fed in order."""

    @abstractmethod
    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The `choices` entries of a `chat.completion.chunk` that `data` completes, their `logprobs` only where given.

        No entry is empty and none gives the role. Raises the ProviderError of an error event, and MalformedAnswer;
        entries that `data` holds before it are returned, and the next call, or `completion`, raises it. Feed it to
        the end of the body: usage may come after the last choice is finished.
        """

    @abstractmethod
    def completion(self) -> Completion:
        """The whole answer, once the body has ended; MalformedAnswer where the dialect's own end was not seen.

        Raises the error of an error event, too.
        """

    @property
    @abstractmethod
    def usage(self) -> Usage:
        """What is known so far, for an answer that is cut short; zeros where the vendor has told nothing yet."""

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the dialect's own end was seen."""


class Provider(ABC):
    """One dialect, bound to one account."""

    dialect: ClassVar[str]

    def __init__(self, account: Account) -> None:
        self.account = account

    @abstractmethod
    def call(self, model: str, request: Mapping[str, Any]) -> Call:
        """Translate an OpenAI chat request for `model` (the upstream's name for it).

        Where `stream` is true in it, the call asks for a stream. Raises NotExpressible where the dialect has no words
        for something that must not be dropped.
        """

    @abstractmethod
    def completion(self, model: str, reply: Reply) -> Completion:
        """Translate the provider's answer, or raise the ProviderError its status and structured code stand for."""

    @abstractmethod
    def stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:
        """The reader of a 2xx answer to a streaming call; `headers` are the answer's, names in lower case."""

    def embed(self, model: str, request: Mapping[str, Any]) -> Call:  # noqa: ARG002
        """As `call`, of an embeddings request; a dialect without any leaves this and `embeddings` as they are."""
        raise NotExpressible(f"{self.dialect} has no embeddings", param="model")

    def embeddings(self, model: str, request: Mapping[str, Any], reply: Reply) -> Completion:  # noqa: ARG002
        """As `completion`, of the answer to `embed`: as many vectors as inputs, in their order, encoded as asked."""
        raise NotExpressible(f"{self.dialect} has no embeddings", param="model")

    def respond(self, model: str, request: Mapping[str, Any]) -> Call:  # noqa: ARG002
        """As `call`, of a request to the vendor's own Responses endpoint; a dialect without one leaves all three."""
        raise NotExpressible(f"{self.dialect} has no Responses endpoint", param="model")

    def response(self, model: str, reply: Reply) -> Completion:  # noqa: ARG002
        """As `completion`, of the answer to `respond`: its body is the vendor's `response` object."""
        raise NotExpressible(f"{self.dialect} has no Responses endpoint", param="model")

    def response_stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:  # noqa: ARG002
        """As `stream`, of the answer to `respond`: each delta holds one event (workers/frames.py)."""
        raise NotExpressible(f"{self.dialect} has no Responses endpoint", param="model")

    def gauges(self, reply: Reply) -> tuple[Gauge, ...]:
        """The rate limits that an answer, good or not, tells of."""
        return header_gauges(reply.headers)

    @abstractmethod
    def listing(self) -> Call:
        """The question for the account's models: it costs no tokens, and shows whether host and key are well."""

    @abstractmethod
    def failure(self, reply: Reply) -> ProviderError:
        """What an answer that is not 2xx stands for, by its status and structured code."""


def json_object(data: bytes, status: int | None = None) -> dict[str, Any]:
    """`data` as a JSON object; MalformedAnswer, with the answer's `status`, where it is none."""
    try:
        # As "utf-8-sig" would, without its codec in Python: this is done for every token.
        value = _DECODER.decode(data.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer("the provider's answer is not JSON", upstream_status=status) from error
    if not isinstance(value, dict):
        raise MalformedAnswer("the provider's answer is not a JSON object", upstream_status=status)
    return value
