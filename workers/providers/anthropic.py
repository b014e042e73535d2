"""Anthropic's native dialect: the Messages API."""

from collections.abc import Mapping
from typing import Any, ClassVar

from routing.errors import ProviderError
from workers.providers import anthropic_request
from workers.providers.anthropic_answer import completion_from, failure_of
from workers.providers.anthropic_stream import AnthropicStream
from workers.providers.base import Account, AnswerStream, Call, Completion, Provider, Reply
from workers.providers.endpoint import messages_models_url, messages_url
from workers.providers.payload import payload
from workers.providers.rules import refuse
from workers.providers.status import provider_error
from workers.providers.whole_answer import WholeAnswer, is_whole

API_VERSION = "2026-10-21"
# Versions that still know the sampling fields; an operator asks for one with an `anthropic-version` header.
_SAMPLING_VERSIONS = ("2023-01-01", "2023-06-01")


class AnthropicProvider(Provider):
    """The Claude API."""

    dialect: ClassVar[str] = "anthropic"
    DROPPED: ClassVar[Mapping[str, str]] = anthropic_request.DROPPED
    REFUSED: ClassVar[Mapping[str, str]] = anthropic_request.REFUSED

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._url = messages_url(account.endpoint)
        self._headers: dict[str, str] = {
            "content-type": "application/json",
            "accept": "application/json",
            "anthropic-version": API_VERSION,
        }
        if account.api_key:
            self._headers["x-api-key"] = account.api_key
        self._headers.update({name.lower(): value for name, value in account.headers.items()})
        self._sampling = self._headers["anthropic-version"] in _SAMPLING_VERSIONS

    def call(self, model: str, request: Mapping[str, Any]) -> Call:
        """The Messages call for `model`; raises NotExpressible."""
        refuse(self.dialect, self.REFUSED, request)
        body = anthropic_request.body_of(model, request, sampling=self._sampling)
        if request.get("stream") is True:
            body["stream"] = True
        return Call(self._url, self._headers, payload(body))

    def completion(self, model: str, reply: Reply) -> Completion:
        """The answer's Message as the one choice; raises a ProviderError."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return completion_from(self.account, model, reply)

    def stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:
        """Events from `message_start` to `message_stop`, or a whole Message."""
        if is_whole(headers):
            return WholeAnswer(headers, lambda reply: self.completion(model, reply))
        return AnthropicStream(self.account, model, headers)

    def listing(self) -> Call:
        """GET `/v1/models`."""
        return Call(messages_models_url(self.account.endpoint), self._headers, method="GET")

    def failure(self, reply: Reply) -> ProviderError:
        """The vendor's error, read and classed."""
        return provider_error(self.account, reply, failure_of(reply))
