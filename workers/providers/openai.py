"""The dialect of any OpenAI-compatible endpoint, and the base of the vendors that speak it with an accent."""

from collections.abc import Mapping
from typing import Any, ClassVar

from routing.errors import ProviderError
from routing.request_fields import ROUTER_FIELDS
from workers.providers import openai_embeddings, openai_responses
from workers.providers.base import Account, AnswerStream, Call, Completion, Provider, Reply
from workers.providers.cache_marks import without_marks
from workers.providers.endpoint import chat_url, embeddings_url, models_url, responses_url, split_endpoint
from workers.providers.openai_answer import completion_from, failure_of
from workers.providers.openai_responses_stream import ResponsesStream
from workers.providers.openai_stream import OpenAIStream
from workers.providers.payload import payload
from workers.providers.rules import refuse
from workers.providers.status import provider_error
from workers.providers.vendor import vendor_at
from workers.providers.whole_answer import WholeAnswer, is_whole

# What answers of this router add to an assistant message: a strict vendor refuses them in a history.
# So does it what OpenAI's own client adds to one that it has read (`parsed`).
ANSWER_FIELDS = frozenset({"reasoning_content", "reasoning_details", "extra_content", "images", "prefix", "parsed"})
# Of a tool call: this router's own, and the place in a stream, which clients keep.
_ADDED_TO_CALLS = frozenset({"extra_content", "index"})
_LENGTH_FIELDS = ("max_completion_tokens", "max_tokens")


class OpenAIProvider(Provider):
    """OpenAI's chat completions: the request goes out as it came in, less what is ours."""

    dialect: ClassVar[str] = "openai"
    # Fields left out, and why nothing is lost.
    DROPPED: ClassVar[Mapping[str, str]] = {}
    # Fields without words here that change what an answer is.
    REFUSED: ClassVar[Mapping[str, str]] = {}
    # Fields of a message that the vendor refuses; this router's own additions are always among them.
    MESSAGE_DROPPED: ClassVar[frozenset[str]] = frozenset()
    # reasoning_effort as the vendor names it, where it does so otherwise than OpenAI.
    EFFORTS: ClassVar[Mapping[str, str]] = {}
    # Whether there are embeddings beside the completions.
    EMBEDS: ClassVar[bool] = True

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._url = chat_url(account.endpoint)
        self._vendor = vendor_at(split_endpoint(account.endpoint).hostname)
        self._left_out = ROUTER_FIELDS | self.DROPPED.keys() | self.REFUSED.keys()
        self._left_out_of_messages = (ANSWER_FIELDS | self.MESSAGE_DROPPED) - self._vendor.echoed
        self._headers: dict[str, str] = {"content-type": "application/json", "accept": "application/json"}
        if account.api_key:
            self._headers["authorization"] = f"Bearer {account.api_key}"
        self._headers.update({name.lower(): value for name, value in account.headers.items()})

    def call(self, model: str, request: Mapping[str, Any]) -> Call:
        """The request for `model` with the router's own fields left out; NotExpressible for a field of REFUSED."""
        refuse(self.dialect, self.REFUSED, request)
        left_out = self._left_out
        body = {name: value for name, value in request.items() if name not in left_out}
        if "anthropic" in request:
            body = without_marks(body)
        body["model"] = model
        body["messages"] = [self._message(message) for message in body.get("messages") or ()]
        self._rename(body)
        if request.get("stream") is True:
            body["stream"] = True
            if self._vendor.stream_options:
                # Asked for whatever the caller wants to see: what an answer used is settled by it.
                body["stream_options"] = {"include_usage": True}
        return Call(self._url, self._headers, payload(body))

    def completion(self, model: str, reply: Reply) -> Completion:
        """The vendor's `chat.completion`, its shape made sure of and its usage counted."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return completion_from(self.account, model, reply)

    def stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:
        """`chat.completion.chunk` events up to [DONE], or a whole `chat.completion`."""
        if is_whole(headers):
            return WholeAnswer(headers, lambda reply: self.completion(model, reply))
        return OpenAIStream(self.account, model, headers)

    def embed(self, model: str, request: Mapping[str, Any]) -> Call:
        """The request for `model` with the router's own fields left out; NotExpressible where there are none."""
        if not self.EMBEDS:
            return super().embed(model, request)
        body = openai_embeddings.body_of(model, request, dimensions_field=self._vendor.dimensions_field)
        return Call(embeddings_url(self.account.endpoint), self._headers, payload(body))

    def embeddings(self, model: str, request: Mapping[str, Any], reply: Reply) -> Completion:
        """The vendor's list, its vectors made sure of and its usage counted."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return openai_embeddings.completion_from(self.account, model, request, reply)

    def respond(self, model: str, request: Mapping[str, Any]) -> Call:
        """The request for `model` as it is: whoever made it has taken out what is ours."""
        return Call(responses_url(self.account.endpoint), self._headers, payload({**request, "model": model}))

    def response(self, model: str, reply: Reply) -> Completion:
        """The vendor's `response`, its shape made sure of and its usage counted."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return openai_responses.completion_from(self.account, model, reply)

    def response_stream(self, model: str, headers: Mapping[str, str]) -> AnswerStream:
        """`response.*` events up to the one that ends them, or a whole `response`."""
        if is_whole(headers):
            return WholeAnswer(headers, lambda reply: self.response(model, reply))
        return ResponsesStream(self.account, model, headers)

    def listing(self) -> Call:
        """GET `.../models`."""
        return Call(models_url(self.account.endpoint), self._headers, method="GET")

    def failure(self, reply: Reply) -> ProviderError:
        """The vendor's error, read and classed."""
        return provider_error(self.account, reply, failure_of(reply))

    def _message(self, message: dict[str, Any]) -> dict[str, Any]:
        """`message` itself where nothing in it is to be left out."""
        if message.get("role") == "developer":
            # OpenAI takes the two for one another; the others know only system.
            message = {**message, "role": "system"}
        left_out = self._left_out_of_messages
        if not left_out.isdisjoint(message):
            message = self._bare(message)
        return self._said(message) if message.get("role") == "assistant" else message

    def _said(self, message: dict[str, Any]) -> dict[str, Any]:
        """What the assistant said, without what its stream and the caller's client have added to it."""
        if None in message.values():
            message = {name: value for name, value in message.items() if value is not None or name == "content"}
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            left_out = _ADDED_TO_CALLS - self._vendor.echoed
            message = {**message, "tool_calls": [_bare_call(call, left_out) for call in calls]}
        return message

    def _bare(self, message: dict[str, Any]) -> dict[str, Any]:
        bare = {name: value for name, value in message.items() if name not in self._left_out_of_messages}
        if "refusal" not in bare and message.get("refusal") and not message.get("content"):
            bare["content"] = message["refusal"]
        if message.get("role") == "function":
            bare["name"] = message.get("name")
        return bare

    def _rename(self, body: dict[str, Any]) -> None:
        wanted = self._vendor.length_field
        if wanted is not None:
            for name in _LENGTH_FIELDS:
                if name != wanted and (limit := body.pop(name, None)) is not None and body.get(wanted) is None:
                    body[wanted] = limit
        effort = body.get("reasoning_effort")
        if isinstance(effort, str) and effort in self.EFFORTS:
            body["reasoning_effort"] = self.EFFORTS[effort]


def _bare_call(call: dict[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    if not left_out.isdisjoint(call):
        call = {name: value for name, value in call.items() if name not in left_out}
    function = call.get("function")
    if isinstance(function, dict) and "parsed_arguments" in function:
        call = {**call, "function": {name: value for name, value in function.items() if name != "parsed_arguments"}}
    return call
