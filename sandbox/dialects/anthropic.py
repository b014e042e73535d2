"""Anthropic's Messages API and its models, native. Source: docs.anthropic.com/en/api/messages."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.answer import Answer
from sandbox.dialects import fields
from sandbox.dialects.anthropic_answer import message
from sandbox.dialects.anthropic_generations import VERSIONS, check
from sandbox.dialects.anthropic_messages import read_messages, read_system
from sandbox.dialects.anthropic_refusals import AnthropicRefusals, limit_headers
from sandbox.dialects.anthropic_stream import events
from sandbox.dialects.anthropic_tools import read_choice, read_tools
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
from sandbox.identifiers import Identifiers
from sandbox.meter import Exceeded, Gauges
from sandbox.prompt import Prompt, TranscriptBuilder

_FIELDS = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "system",
        "metadata",
        "stop_sequences",
        "stream",
        "temperature",
        "top_k",
        "top_p",
        "tools",
        "tool_choice",
        "thinking",
        "service_tier",
        "container",
        "context_management",
        "mcp_servers",
        "output_config",
        "output_format",
        "cache_control",
        "inference_geo",
        "diagnostics",
        "speed",
        "betas",
        "user_profile_id",
        "workspace_id",
    ]
)
_MODELS = ("claude-sonnet-5", "claude-haiku-4-5", "claude-opus-4-8")
UNKNOWN_MODEL = "does-not-exist"


class Anthropic(Dialect):
    """api.anthropic.com."""

    def __init__(self, provider: str, identifiers: Identifiers) -> None:
        super().__init__(provider, identifiers)
        self.refusals = AnthropicRefusals(identifiers)

    def key(self, request: Request) -> str:
        """The x-api-key header, or else a bearer token as newer clients send it; anthropic-version must be valid."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = request.headers.get("x-api-key", "").strip() or (token.strip() if scheme.lower() == "bearer" else "")
        if not key:
            raise self.refusals.refusal(401, "x-api-key header is required")
        if key.startswith("bad"):
            raise self.refusals.refusal(401, "invalid x-api-key")
        version = request.headers.get("anthropic-version", "").strip()
        if not version:
            raise self.refusals.invalid("anthropic-version", "header is required")
        if version not in VERSIONS:
            raise self.refusals.invalid("anthropic-version", f'"{version}" is not a valid version')
        return key

    def route(self, request: Request) -> Route:
        """/v1/messages, /v1/models and /v1/models/{id}."""
        if request.method == "POST" and request.path == "/v1/messages":
            return Route(Operation.CHAT, version=request.headers["anthropic-version"].strip())
        if request.method == "GET" and request.path == "/v1/models":
            return Route(Operation.MODELS)
        if request.method == "GET" and request.path.startswith("/v1/models/"):
            return Route(Operation.MODEL, model=request.path.removeprefix("/v1/models/"))
        raise self.refusals.refusal(404, "Not Found")

    def prompt(self, payload: Any, route: Route) -> Prompt:
        """Read a Messages request."""
        try:
            return self._prompt(fields.mapping(payload, "body"), route.version)
        except fields.WrongType as finding:
            wanted = {"an object": "a valid dictionary", "an array": "a valid list", "a string": "a valid string"}
            expected = wanted.get(finding.expected, f"a valid {finding.expected.split()[-1]}")
            path = finding.path.replace("[", ".").replace("]", "")
            raise self.refusals.invalid(path, f"Input should be {expected}") from None

    def _prompt(self, payload: dict[str, Any], version: str) -> Prompt:
        for name in payload:
            if name not in _FIELDS:
                raise self.refusals.invalid(name, "Extra inputs are not permitted")
        for name in ("model", "max_tokens", "messages"):
            if name not in payload:
                raise self.refusals.invalid(name, "Field required")
        model = fields.text(payload["model"], "model")
        if model == UNKNOWN_MODEL or not model:
            raise self.refusals.refusal(404, f"model: {model}")
        max_tokens = fields.integer(payload, "max_tokens")
        if max_tokens is None or max_tokens < 1:
            raise self.refusals.invalid("max_tokens", "Input should be greater than or equal to 1")
        temperature = fields.number(payload, "temperature")
        if temperature is not None and not 0 <= temperature <= 1:
            raise self.refusals.invalid("temperature", "range: 0..1")
        transcript = TranscriptBuilder()
        read_system(payload.get("system"), transcript, self.refusals)
        read_messages(fields.array(payload["messages"], "messages"), transcript, self.refusals)
        check(payload, version, self.refusals)
        tools = read_tools(payload, self.refusals)
        return Prompt(
            model=model,
            transcript=transcript.done(),
            tools=tools,
            tool_choice=read_choice(payload, tools, self.refusals),
            max_tokens=max_tokens,
            stop=self._stop(payload),
            schema=self._schema(payload),
            stream=fields.boolean(payload, "stream"),
            include_usage=True,
        )

    def reply(self, prompt: Prompt, answer: Answer, gauges: Gauges) -> Reply:
        """A message."""
        body = message(prompt, answer, self.identifiers)
        return Reply(200, (JSON_TYPE, *self._headers(gauges)), json.dumps(body).encode())

    def stream(self, prompt: Prompt, answer: Answer, gauges: Gauges, route: Route) -> Stream:
        """message_start to message_stop."""
        del route
        return Stream((SSE_TYPE, *self._headers(gauges)), events(prompt, answer, self.identifiers))

    def models(self, route: Route) -> Reply:
        """A page of models, or one of them."""
        if route.operation is Operation.MODELS:
            cards = [_card(name) for name in _MODELS]
            body = {"data": cards, "has_more": False, "first_id": _MODELS[0], "last_id": _MODELS[-1]}
        elif route.model == UNKNOWN_MODEL:
            raise self.refusals.refusal(404, f"model: {route.model}")
        else:
            body = _card(route.model)
        return Reply(200, (JSON_TYPE, ("request-id", self.identifiers.new("req_"))), json.dumps(body).encode())

    def broken_json(self, body: bytes, reason: str) -> Refusal:
        """The body is not JSON."""
        del body
        return self.refusals.refusal(400, f"The request body is not valid JSON: {reason}")

    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt does not fit the model's context."""
        return self.refusals.refusal(400, f"prompt is too long: {tokens} tokens > {limit} maximum")

    def rate_limited(self, model: str, exceeded: Exceeded) -> Refusal:
        """A limit is reached."""
        del model
        return self.refusals.rate_limited(exceeded)

    def failure(self, status: int, retry_after_s: float | None) -> Refusal:
        """An injected status."""
        return self.refusals.failure(status, retry_after_s)

    def error_event(self, status: int, route: Route) -> bytes:
        """An event named error."""
        return b"event: error\n" + super().error_event(status, route)

    def _headers(self, gauges: Gauges) -> Headers:
        return (("request-id", self.identifiers.new("req_")), *limit_headers(gauges))

    def _stop(self, payload: Mapping[str, Any]) -> tuple[str, ...]:
        stops = fields.texts(payload.get("stop_sequences") or [], "stop_sequences")
        if any(not stop.strip() for stop in stops):
            raise self.refusals.invalid("stop_sequences", "each stop sequence must contain non-whitespace")
        return stops

    def _schema(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        config = fields.mapping(payload.get("output_config") or {}, "output_config")
        wanted, path = config.get("format"), "output_config.format"
        if wanted is None:
            wanted, path = payload.get("output_format"), "output_format"
        if wanted is None:
            return None
        wanted = fields.mapping(wanted, path)
        if wanted.get("type") != "json_schema":
            raise self.refusals.invalid(f"{path}.type", "Input should be 'json_schema'")
        if "schema" not in wanted:
            raise self.refusals.invalid(f"{path}.schema", "Field required")
        return fields.mapping(wanted["schema"], f"{path}.schema")


def _card(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": "2025-09-29T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }
