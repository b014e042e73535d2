"""Google's Gemini API, native: generateContent and its stream, embeddings, models. Source: ai.google.dev/api."""

import json
import re
from typing import Any

from sandbox import tokens
from sandbox.answer import Answer, Finish
from sandbox.dialects import gemini_embeddings
from sandbox.dialects import gemini_refusals as refusals
from sandbox.dialects.base import JSON_TYPE, SSE_TYPE, Dialect, Operation, Refusal, Reply, Request, Route, Stream
from sandbox.dialects.gemini_contents import read_contents
from sandbox.dialects.gemini_fields import GENERATION_CONFIG, REQUEST, Finding, check_schema, read, scalar
from sandbox.dialects.gemini_tools import read_choice, read_tools
from sandbox.logprobs import gemini_result
from sandbox.meter import Exceeded, Gauges
from sandbox.prompt import Prompt

_CALL = re.compile(r"/(?P<version>v1|v1alpha|v1beta)/models/(?P<model>[^:]*):(?P<method>\w+)")
_LIST = re.compile(r"/(?:v1|v1alpha|v1beta)/models(?:/(?P<model>[^:]+))?")
_METHODS = ("generateContent", "streamGenerateContent")
_MODELS = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite", "gemini-embedding-001")
UNKNOWN_MODEL = "does-not-exist"
_FINISH = {Finish.STOP: "STOP", Finish.LENGTH: "MAX_TOKENS", Finish.TOOL_CALLS: "STOP"}
# Older generations cannot answer in JSON while tools are offered.
_NO_JSON_WITH_TOOLS = ("gemini-1", "gemini-2")


class Gemini(Dialect):
    """generativelanguage.googleapis.com."""

    def key(self, request: Request) -> str:
        """The x-goog-api-key header, or the query's `key`."""
        key = request.headers.get("x-goog-api-key", "").strip() or request.query.get("key", "").strip()
        if not key:
            raise refusals.missing_key()
        if key.startswith("bad"):
            raise refusals.bad_key()
        return key

    def route(self, request: Request) -> Route:
        """The model and the method are parts of the path."""
        if request.method == "GET" and (listed := _LIST.fullmatch(request.path)):
            model = listed["model"]
            return Route(Operation.MODEL, model=model) if model else Route(Operation.MODELS)
        called = _CALL.fullmatch(request.path)
        if request.method != "POST" or called is None:
            raise refusals.unknown_path()
        model, method = called["model"], called["method"]
        known = gemini_embeddings.METHODS if gemini_embeddings.is_embedding_model(model) else _METHODS
        if method not in known or model in ("", UNKNOWN_MODEL):
            raise refusals.unknown_model(model, called["version"], method)
        if known is gemini_embeddings.METHODS:
            return Route(Operation.EMBEDDINGS, model=model, batch=method == gemini_embeddings.BATCH)
        streamed = method == "streamGenerateContent"
        return Route(Operation.CHAT, model=model, stream=streamed, events=request.query.get("alt") == "sse")

    def prompt(self, payload: Any, route: Route) -> Prompt:
        """Read a generateContent request."""
        findings: list[Finding] = []
        request = read(payload, REQUEST, "", findings)
        given = request.get("generation_config")
        config = {} if given is None else read(given, GENERATION_CONFIG, "generation_config", findings)
        tools = read_tools(request, findings)
        choice = read_choice(request, tools, findings)
        schema = _schema(config, findings)
        stops = config.get("stop_sequences") or []
        if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
            findings.append(("generation_config", "Invalid value at 'generation_config.stop_sequences'"))
        limit = scalar(config, "max_output_tokens", int, "generation_config", findings)
        temperature = scalar(config, "temperature", (int, float), "generation_config", findings)
        choices = scalar(config, "candidate_count", int, "generation_config", findings)
        transcript = read_contents(request, findings)
        _check(limit, temperature, choices, stops)
        if tools and schema is not None and route.model.startswith(_NO_JSON_WITH_TOOLS):
            told = "Function calling with a response mime type: 'application/json' is unsupported"
            raise refusals.refusal(400, told)
        return Prompt(
            model=route.model,
            transcript=transcript,
            tools=tools,
            tool_choice=choice,
            max_tokens=limit,
            stop=tuple(stops),
            schema=schema,
            stream=route.stream,
            include_usage=True,
            choices=choices or 1,
            logprobs=_logprobs(config, findings),
        )

    def reply(self, prompt: Prompt, answer: Answer, gauges: Gauges) -> Reply:
        """A GenerateContentResponse; Gemini tells nothing of its limits in headers."""
        del gauges
        parts: list[dict[str, Any]] = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
        parts += [{"text": answer.text}] if answer.text else []
        parts = _signed(parts + _calls(answer), answer)
        body = self._response(prompt, answer, parts, last=True)
        return Reply(200, (JSON_TYPE,), json.dumps(body).encode())

    def stream(self, prompt: Prompt, answer: Answer, gauges: Gauges, route: Route) -> Stream:
        """Responses whose parts follow each other, as events or as one growing JSON array."""
        del gauges
        parts: list[dict[str, Any]] = [{"text": piece, "thought": True} for piece in tokens.split(answer.reasoning)]
        parts += [{"text": piece} for piece in tokens.split(answer.text)]
        pieces = [[part] for part in _signed(parts + _calls(answer), answer)] or [[]]
        identifier = self.identifiers.new("")
        responses = [
            json.dumps(self._response(prompt, answer, parts, last=number == len(pieces) - 1, identifier=identifier))
            for number, parts in enumerate(pieces)
        ]
        if route.events:
            return Stream((SSE_TYPE,), [f"data: {response}\r\n\r\n".encode() for response in responses])
        opened = [f"{'[' if number == 0 else ','}{response}\r\n" for number, response in enumerate(responses)]
        return Stream((JSON_TYPE,), [*(piece.encode() for piece in opened), b"]"])

    def embeddings(self, payload: Any, route: Route, gauges: Gauges) -> tuple[str, int, Reply]:
        """One vector, or one for each request of a batch."""
        del gauges
        return route.model, *gemini_embeddings.embed(payload, route)

    def models(self, route: Route) -> Reply:
        """The list of models, or one of them."""
        if route.operation is Operation.MODELS:
            body = {"models": [_card(name) for name in _MODELS]}
        elif route.model == UNKNOWN_MODEL:
            raise refusals.unknown_model(route.model, "v1beta", "getModel")
        else:
            body = _card(route.model)
        return Reply(200, (JSON_TYPE,), json.dumps(body).encode())

    def broken_json(self, body: bytes, reason: str) -> Refusal:
        """The body is not JSON."""
        del reason
        shown = body[:60].decode("utf-8", "replace")
        return refusals.violations([("", f"Invalid JSON payload received. Expected a value.\n{shown}\n^")])

    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt does not fit the model's context."""
        told = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."
        return refusals.refusal(400, told)

    def rate_limited(self, model: str, exceeded: Exceeded) -> Refusal:
        """A quota is reached."""
        return refusals.rate_limited(model, exceeded)

    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """An injected status."""
        return refusals.failure(status, retry_after_s)

    def error_event(self, status: int, route: Route) -> bytes:
        """The error as a response of the stream, or as the last item of its array."""
        body = self.failure(status, None).reply.body
        return b"data: " + body + b"\r\n\r\n" if route.events else b"," + body + b"\r\n]"

    def _response(
        self, prompt: Prompt, answer: Answer, parts: list[dict[str, Any]], *, last: bool, identifier: str = ""
    ) -> dict[str, Any]:
        candidates: list[dict[str, Any]] = []
        for index in range(prompt.choices):
            candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": index}
            if prompt.logprobs is not None and (words := _words(parts)):
                candidate["logprobsResult"] = gemini_result(words, prompt.logprobs)
            if last:
                candidate["finishReason"] = "SAFETY" if answer.refusal is not None else _FINISH[answer.finish]
            candidates.append(candidate)
        return {
            "candidates": candidates,
            "usageMetadata": _usage(answer, prompt.choices) if last else {"promptTokenCount": answer.prompt_tokens},
            "modelVersion": prompt.model,
            "responseId": identifier or self.identifiers.new(""),
        }


def _words(parts: list[dict[str, Any]]) -> str:
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [{"functionCall": {"name": call.name, "args": call.arguments}} for call in answer.tool_calls]


def _signed(parts: list[dict[str, Any]], answer: Answer) -> list[dict[str, Any]]:
    """A model that thought signs its first function call, or else its last part."""
    if answer.reasoning and parts:
        first = next((number for number, part in enumerate(parts) if "functionCall" in part), len(parts) - 1)
        parts[first] = {**parts[first], "thoughtSignature": "c2lnbmVkIGJ5IHRoZSBzYW5kYm94"}
    return parts


def _usage(answer: Answer, choices: int) -> dict[str, Any]:
    """The counts; Gemini counts thoughts beside the candidates, and leaves out what is zero."""
    spoken = (answer.completion_tokens - answer.reasoning_tokens) * choices
    counts: dict[str, Any] = {
        "promptTokenCount": answer.prompt_tokens,
        "candidatesTokenCount": spoken,
        "totalTokenCount": answer.prompt_tokens + spoken + answer.reasoning_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.prompt_tokens}],
    }
    if answer.cached_tokens:
        counts["cachedContentTokenCount"] = answer.cached_tokens
    if answer.reasoning_tokens:
        counts["thoughtsTokenCount"] = answer.reasoning_tokens
    return counts


def _schema(config: dict[str, Any], findings: list[Finding]) -> dict[str, Any] | None:
    """The schema that the answer must be an instance of: none without a JSON response type."""
    given = config.get("response_schema")
    if given is not None:
        check_schema(given, "generation_config.response_schema", findings)
    else:
        given = config.get("response_json_schema") or config.get("_response_json_schema")
    mime = scalar(config, "response_mime_type", str, "generation_config", findings) or "text/plain"
    if findings:
        return None
    if given is not None and mime not in ("application/json", "text/x.enum"):
        told = "response_schema is only supported when response_mime_type is set to application/json."
        raise refusals.invalid("generation_config.response_schema", told)
    if mime != "application/json":
        return None
    return given if isinstance(given, dict) else {"type": "object", "properties": {"sandbox": {"type": "boolean"}}}


def _check(limit: int | None, temperature: float | None, choices: int | None, stops: list[str]) -> None:
    if limit is not None and limit < 1:
        raise refusals.invalid("generation_config.max_output_tokens", "max_output_tokens must be positive.")
    if temperature is not None and not 0 <= temperature <= 2:
        raise refusals.invalid("generation_config.temperature", "temperature must be in the range [0.0, 2.0].")
    if choices is not None and not 1 <= choices <= 8:
        raise refusals.invalid("generation_config.candidate_count", "candidate_count must be in the range [1, 8].")
    if len(stops) > 5:
        raise refusals.invalid("generation_config.stop_sequences", "at most 5 stop sequences are supported.")


def _logprobs(config: dict[str, Any], findings: list[Finding]) -> int | None:
    """How many of the likeliest tokens are told; None where no log probabilities are."""
    wanted = scalar(config, "response_logprobs", bool, "generation_config", findings)
    top = scalar(config, "logprobs", int, "generation_config", findings)
    if findings:
        raise refusals.violations(findings)
    if top is not None and not wanted:
        raise refusals.invalid("generation_config.logprobs", "logprobs needs response_logprobs to be true.")
    if top is not None and not 0 <= top <= 20:
        raise refusals.invalid("generation_config.logprobs", "logprobs must be in the range [0, 20].")
    return (top or 0) if wanted else None


def _card(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "A sandbox model.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [gemini_embeddings.SINGLE]
        if gemini_embeddings.is_embedding_model(name)
        else list(_METHODS),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }
