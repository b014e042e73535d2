"""Google Gemini's native dialect: generateContent with a key in a header."""

from collections.abc import Mapping
from typing import Any, ClassVar

from routing.errors import ProviderError
from routing.permits import Gauge
from workers.providers import gemini_embeddings, gemini_request
from workers.providers.base import Account, AnswerStream, Call, Completion, Provider, Reply
from workers.providers.endpoint import batch_embed_url, generate_models_url, generate_url
from workers.providers.gauges import quota_gauges
from workers.providers.gemini_answer import completion_from, failure_of
from workers.providers.gemini_stream import GeminiStream
from workers.providers.payload import payload
from workers.providers.rules import refuse
from workers.providers.status import provider_error
from workers.providers.whole_answer import WholeAnswer, is_whole


class GeminiProvider(Provider):
    """The Gemini Developer API, v1beta."""

    dialect: ClassVar[str] = "google-gemini"
    DROPPED: ClassVar[Mapping[str, str]] = gemini_request.DROPPED
    REFUSED: ClassVar[Mapping[str, str]] = gemini_request.REFUSED

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        # A broken endpoint is found when the account is read, not at its first call.
        generate_url(account.endpoint, "gemini")
        self._headers: dict[str, str] = {"content-type": "application/json", "accept": "application/json"}
        if account.api_key:
            self._headers["x-goog-api-key"] = account.api_key
        self._headers.update({name.lower(): value for name, value in account.headers.items()})

    def call(self, model: str, request: Mapping[str, Any]) -> Call:
        """The generateContent or streamGenerateContent call for `model`; raises NotExpressible."""
        refuse(self.dialect, self.REFUSED, request)
        body = gemini_request.body_of(model, request)
        url = generate_url(self.account.endpoint, model, stream=request.get("stream") is True)
        return Call(url, self._headers, payload(body))

    def completion(self, model: str, reply: Reply) -> Completion:
        """The answer's candidates as choices; raises a ProviderError."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return completion_from(self.account, model, reply)

    def embed(self, model: str, request: Mapping[str, Any]) -> Call:
        """The batchEmbedContents call for `model`; raises NotExpressible."""
        body = gemini_embeddings.body_of(model, request)
        return Call(batch_embed_url(self.account.endpoint, model), self._headers, payload(body))

    def embeddings(self, model: str, request: Mapping[str, Any], reply: Reply) -> Completion:
        """The answer's vectors; raises a ProviderError."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return gemini_embeddings.completion_from(self.account, model, request, reply)

    def gauges(self, reply: Reply) -> tuple[Gauge, ...]:
        """Gemini tells of a limit only when it is reached, in the refusal's body."""
        return quota_gauges(reply.body) if reply.status == 429 else ()

    def stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:
        """GenerateContentResponses as events, or a whole one."""
        if is_whole(headers):
            return WholeAnswer(headers, lambda reply: self.completion(model, reply))
        return GeminiStream(self.account, model, headers)

    def listing(self) -> Call:
        """GET `.../models`."""
        return Call(generate_models_url(self.account.endpoint), self._headers, method="GET")

    def failure(self, reply: Reply) -> ProviderError:
        """The vendor's error, read and classed."""
        return provider_error(self.account, reply, failure_of(reply))
