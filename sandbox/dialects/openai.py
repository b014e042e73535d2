"""OpenAI's chat completions, responses, embeddings and models, as OpenAI-compatible servers speak them."""

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.answer import Answer
from sandbox.dialects import fields
from sandbox.dialects.base import (
    JSON_TYPE,
    SSE_TYPE,
    Dialect,
    Headers,
    Operation,
    Refusal,
    Reply,
    Request,
    Route,
    Stream,
)
from sandbox.dialects.openai_inputs import read_inputs
from sandbox.dialects.openai_messages import read_messages
from sandbox.dialects.openai_refusals import OpenAIRefusals
from sandbox.dialects.openai_response_answer import response
from sandbox.dialects.openai_response_request import read_response
from sandbox.dialects.openai_response_stream import event, response_events
from sandbox.dialects.openai_stream import chunks, logprobs_of
from sandbox.dialects.openai_tools import read_choice, read_tools
from sandbox.embedding import vector, written
from sandbox.identifiers import Identifiers
from sandbox.meter import NO_GAUGES, Exceeded, Gauges
from sandbox.prompt import Prompt

UNKNOWN_MODEL = "does-not-exist"
_CREATED = 1_760_000_000


class OpenAI(Dialect):
    """The dialect of any OpenAI-compatible server; subclasses say where a vendor differs."""

    refusals: ClassVar[OpenAIRefusals] = OpenAIRefusals()
    # The fields a request may have; None where unknown ones are ignored.
    fields: ClassVar[frozenset[str] | None] = None
    embedding_fields: ClassVar[frozenset[str] | None] = None
    # Whether JSON mode needs the word JSON in the messages.
    strict_json_mode: ClassVar[bool] = False
    splits_arguments: ClassVar[bool] = True
    # Where reasoning is shown; None where the vendor keeps it to itself.
    reasoning_field: ClassVar[str | None] = "reasoning_content"
    known_models: ClassVar[tuple[str, ...]] = ("gpt-4o-mini", "gpt-4o", "text-embedding-3-small")

    def __init__(self, provider: str, identifiers: Identifiers) -> None:
        super().__init__(provider, identifiers)
        self._unlimited = self.refusals.limit_headers(NO_GAUGES)

    def key(self, request: Request) -> str:
        """The bearer token."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise self.refusals.missing_key()
        if key.startswith("bad"):
            raise self.refusals.bad_key(key)
        return key

    def route(self, request: Request) -> Route:
        """By the end of the path, whatever stands before it."""
        path = request.path.rstrip("/")
        if request.method == "POST" and path.endswith("/chat/completions"):
            return Route(Operation.CHAT)
        if request.method == "POST" and path.endswith("/responses"):
            return Route(Operation.RESPONSES)
        if request.method == "POST" and path.endswith("/embeddings"):
            return Route(Operation.EMBEDDINGS)
        if request.method == "GET" and path.endswith("/models"):
            return Route(Operation.MODELS)
        if request.method == "GET" and "/models/" in path:
            return Route(Operation.MODEL, model=path.partition("/models/")[2])
        raise self.refusals.unknown_path(request.method, request.path)

    def prompt(self, payload: Any, route: Route) -> Prompt:
        """Read a request for a chat completion or a response."""
        try:
            body = fields.mapping(payload, "body")
            return read_response(self, body) if route.operation is Operation.RESPONSES else self._prompt(body)
        except fields.WrongType as finding:
            raise self.refusals.wrong_type(finding) from None

    def _prompt(self, payload: dict[str, Any]) -> Prompt:
        model = self.model_of(payload)
        if payload.get("messages") is None:
            raise self.refusals.missing("messages")
        messages = fields.array(payload["messages"], "messages", "an array of objects")
        transcript = read_messages(messages, self.refusals)
        self.check(payload, messages)
        tools = read_tools(payload, self.refusals)
        limit_name = "max_completion_tokens" if payload.get("max_completion_tokens") is not None else "max_tokens"
        options = payload.get("stream_options")
        return Prompt(
            model=model,
            transcript=transcript,
            tools=tools,
            tool_choice=read_choice(payload, tools, self.refusals),
            max_tokens=self.bounded(payload, limit_name, 1, None),
            stop=self._stop(payload),
            schema=self.schema(payload),
            stream=fields.boolean(payload, "stream"),
            include_usage=bool(options and fields.boolean(fields.mapping(options, "stream_options"), "include_usage")),
            choices=self.bounded(payload, "n", 1, 128) or 1,
            logprobs=self._logprobs(payload),
        )

    def check(self, payload: Mapping[str, Any], messages: list[dict[str, Any]]) -> None:
        """Refuse what this vendor refuses beside wrong types; `messages` are well formed."""
        if self.fields is not None:
            for name in payload:
                if name not in self.fields:
                    raise self.refusals.unknown_field(name)
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
            self._decimal(payload, name)
        if payload.get("stream_options") is not None and not payload.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise self.refusals.wrong_value("stream_options", message)
        wanted = payload.get("response_format")
        if self.strict_json_mode and isinstance(wanted, dict) and wanted.get("type") == "json_object":
            said = json.dumps([message.get("content") for message in messages]).lower()
            if "json" not in said:
                message = "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'."
                raise self.refusals.refusal(400, message, param="messages")

    def schema(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        """The schema that the answer must be an instance of."""
        wanted = payload.get("response_format")
        if wanted is None:
            return None
        kind = fields.mapping(wanted, "response_format").get("type")
        if kind == "json_object":
            return {"type": "object", "properties": {"sandbox": {"type": "boolean"}}}
        if kind == "json_schema":
            described = fields.mapping(wanted.get("json_schema"), "response_format.json_schema")
            if not isinstance(described.get("name"), str):
                raise self.refusals.missing("response_format.json_schema.name")
            return fields.mapping(described.get("schema") or {}, "response_format.json_schema.schema")
        if kind == "text":
            return None
        message = f"Invalid value: {json.dumps(kind)}. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise self.refusals.wrong_value("response_format.type", message)

    def reply(self, prompt: Prompt, answer: Answer, gauges: Gauges) -> Reply:
        """A chat.completion, or a response."""
        if prompt.response is not None:
            body = response(self, prompt, answer)
            return Reply(200, (JSON_TYPE, *self.headers(gauges)), json.dumps(body).encode())
        silent = answer.tool_calls or answer.refusal is not None
        message: dict[str, Any] = {"role": "assistant", "content": None if silent else answer.text}
        if answer.refusal is not None:
            message["refusal"] = answer.refusal
        if answer.reasoning and self.reasoning_field is not None:
            message[self.reasoning_field] = answer.reasoning
        if answer.tool_calls:
            message["tool_calls"] = [
                {
                    "id": self.identifiers.new("call_"),
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.json},
                }
                for call in answer.tool_calls
            ]
        finish, logprobs = answer.finish.value, None
        if prompt.logprobs is not None:
            logprobs = logprobs_of(prompt.logprobs, answer.text, answer.refusal or "")
        body = {
            "id": self.identifiers.new("chatcmpl-"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": prompt.model,
            "choices": [
                {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
                for index in range(prompt.choices)
            ],
            "usage": self.usage(answer, prompt.choices),
            "system_fingerprint": "fp_sandbox",
            **self.extras(),
        }
        return Reply(200, (JSON_TYPE, *self.headers(gauges)), json.dumps(body).encode())

    def stream(self, prompt: Prompt, answer: Answer, gauges: Gauges, route: Route) -> Stream:
        """chat.completion.chunk events, or those of a response."""
        del route
        frames = chunks(self, prompt, answer) if prompt.response is None else response_events(self, prompt, answer)
        return Stream((SSE_TYPE, *self.headers(gauges)), frames)

    def error_event(self, status: int, route: Route) -> bytes:
        """The error where a chunk would be; of a response, an event of its own."""
        if route.operation is not Operation.RESPONSES:
            return super().error_event(status, route)
        error = json.loads(self.failure(status, None).reply.body)["error"]
        code = error.get("code") or error.get("type")
        return event({"type": "error", "code": code, "message": error["message"], "param": None, "sequence_number": 0})

    def usage(self, answer: Answer, choices: int) -> dict[str, Any]:
        """The counts of an answer."""
        completion = answer.completion_tokens * choices
        return {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": answer.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens * choices, "audio_tokens": 0},
        }

    def extras(self) -> dict[str, Any]:
        """What a vendor adds to a completion."""
        return {}

    def first_extras(self, identifier: str) -> dict[str, Any]:
        """What a vendor adds to a stream's first chunk."""
        del identifier
        return {}

    def last_extras(self, identifier: str, prompt: Prompt, answer: Answer) -> dict[str, Any]:
        """What a vendor adds to the chunk with the finish reason."""
        del identifier, prompt, answer
        return {}

    def headers(self, gauges: Gauges) -> Headers:
        """The limits, and the request's id."""
        limits = self._unlimited if gauges is NO_GAUGES else self.refusals.limit_headers(gauges)
        return (("x-request-id", self.identifiers.new("req_")), *limits)

    def models(self, route: Route) -> Reply:
        """The list of models, or one of them."""
        if route.operation is Operation.MODELS:
            body = {"object": "list", "data": [self._model_card(name) for name in self.known_models]}
        elif route.model == UNKNOWN_MODEL:
            raise self.refusals.unknown_model(route.model)
        else:
            body = self._model_card(route.model)
        return Reply(200, (JSON_TYPE,), json.dumps(body).encode())

    def embeddings(self, payload: Any, route: Route, gauges: Gauges) -> tuple[str, int, Reply]:
        """One vector per input."""
        del route
        try:
            payload = fields.mapping(payload, "body")
            model = self.model_of(payload)
            if self.embedding_fields is not None and (unknown := payload.keys() - self.embedding_fields):
                raise self.refusals.unknown_field(min(unknown))
            if payload.get("input") is None:
                raise self.refusals.missing("input")
            inputs = read_inputs(payload["input"], self.refusals)
            size = self.bounded(payload, "dimensions", 1, 4096) or 256
        except fields.WrongType as finding:
            raise self.refusals.wrong_type(finding) from None
        used = sum(item.tokens for item in inputs)
        encoded = payload.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": written(vector(item.text, size), encoded=encoded)}
            for index, item in enumerate(inputs)
        ]
        usage = {"prompt_tokens": used, "total_tokens": used}
        body = {"object": "list", "data": data, "model": model, "usage": usage}
        return model, used, Reply(200, (JSON_TYPE, *self.headers(gauges)), json.dumps(body).encode())

    def broken_json(self, body: bytes, reason: str) -> Refusal:
        """The body is not JSON."""
        del body, reason
        return self.refusals.broken_json()

    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt does not fit the model's context."""
        return self.refusals.too_long(tokens, limit)

    def rate_limited(self, model: str, exceeded: Exceeded) -> Refusal:
        """A limit is reached."""
        return self.refusals.rate_limited(model, exceeded, self.refusals.limit_headers(exceeded.gauges))

    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """An injected status."""
        return self.refusals.failure(status, retry_after_s)

    def model_of(self, payload: Mapping[str, Any]) -> str:
        """The model that is asked for. Raises a refusal."""
        if payload.get("model") is None:
            raise self.refusals.missing("model")
        model = fields.text(payload["model"], "model")
        if model == UNKNOWN_MODEL or not model:
            raise self.refusals.unknown_model(model)
        return model

    def _model_card(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": _CREATED, "owned_by": "sandbox"}

    def bounded(self, payload: Mapping[str, Any], name: str, low: int, high: int | None) -> int | None:
        """An optional integer. Raises a refusal where it is not within these bounds."""
        value = fields.integer(payload, name)
        if value is None:
            return None
        if value < low:
            message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}, but got {value}."
            raise self.refusals.wrong_value(name, message, "integer_below_min_value")
        if high is not None and value > high:
            message = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}, but got {value}."
            raise self.refusals.wrong_value(name, message, "integer_above_max_value")
        return value

    def _logprobs(self, payload: Mapping[str, Any]) -> int | None:
        top = self.bounded(payload, "top_logprobs", 0, 20)
        if fields.boolean(payload, "logprobs"):
            return top or 0
        if top is not None:
            message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
            raise self.refusals.wrong_value("top_logprobs", message)
        return None

    def _decimal(self, payload: Mapping[str, Any], name: str) -> None:
        value = fields.number(payload, name)
        low, high = {"temperature": (0, 2), "top_p": (0, 1)}.get(name, (-2, 2))
        if value is not None and not low <= value <= high:
            edge, bound, sign = ("below minimum", low, ">=") if value < low else ("above maximum", high, "<=")
            message = f"Invalid '{name}': decimal {edge} value. Expected a value {sign} {bound}, but got {value}."
            raise self.refusals.wrong_value(name, message, f"decimal_{edge[:5]}_{edge[6:9]}_value")

    def _stop(self, payload: Mapping[str, Any]) -> tuple[str, ...]:
        given = payload.get("stop")
        if given is None or isinstance(given, str):
            return (given,) if given else ()
        stops = fields.texts(given, "stop")
        if len(stops) > 4:
            message = f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(stops)}."
            raise self.refusals.wrong_value("stop", message, "array_above_max_length")
        return stops
