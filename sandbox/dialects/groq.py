"""What Groq does differently from OpenAI: its errors, its usage times, `x_groq`, and fields it does not take.

Sources: console.groq.com/docs/openai (unsupported fields), /docs/rate-limits (headers), /docs/errors.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.answer import Answer
from sandbox.dialects.base import Headers, Refusal
from sandbox.dialects.openai import OpenAI
from sandbox.dialects.openai_refusals import OpenAIRefusals, duration
from sandbox.meter import Exceeded, Gauges
from sandbox.prompt import Prompt

_UNSUPPORTED = ("logprobs", "logit_bias", "top_logprobs")
_FIELDS = frozenset(
    [
        "messages",
        "model",
        "citation_options",
        "compound_custom",
        "disable_tool_validation",
        "documents",
        "exclude_domains",
        "frequency_penalty",
        "function_call",
        "functions",
        "include_domains",
        "include_reasoning",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "reasoning_format",
        "response_format",
        "search_settings",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    ]
) | frozenset(_UNSUPPORTED)


class GroqRefusals(OpenAIRefusals):
    """Groq leaves out `param` and `code` where it has none."""

    docs = "https://console.groq.com/settings/billing"

    def body(self, message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
        """An error body without empty keys."""
        error = {"message": message, "type": kind, "param": param, "code": code}
        return {"error": {name: value for name, value in error.items() if value is not None}}

    def missing_key(self) -> Refusal:
        """Groq tells a missing key like a wrong one."""
        return self.bad_key("")

    def bad_key(self, key: str) -> Refusal:
        """The key is not one."""
        del key
        return self.refusal(401, "Invalid API Key", code="invalid_api_key")

    def unknown_path(self, method: str, path: str) -> Refusal:
        """There is no such path."""
        message = (
            f"Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs at "
            "https://console.groq.com/docs/"
        )
        return self.refusal(404, message, code="unknown_url")

    def broken_json(self) -> Refusal:
        """The body is not JSON."""
        return self.refusal(400, "failed to parse the request body as JSON", code="json_parse_error")

    def missing(self, path: str) -> Refusal:
        """A required property is not there."""
        return self.refusal(400, f"'{path}' : property '{path}' is missing")

    def unknown_field(self, name: str) -> Refusal:
        """A property the API has not."""
        return self.refusal(400, f"property '{name}' is unsupported")

    def too_long(self, tokens: int, limit: int) -> Refusal:
        """The prompt is longer than the context."""
        del tokens, limit
        message = "Please reduce the length of the messages or completion."
        return self.refusal(400, message, param="messages", code="context_length_exceeded")

    def limit_message(self, model: str, words: str, exceeded: Exceeded) -> str:
        """How a reached limit is told."""
        return (
            f"Rate limit reached for model `{model}` in organization `org_sandbox` service tier `on_demand` on "
            f"{words.replace('per min', 'per minute')}: Limit {exceeded.limit}, Used {exceeded.used}, Requested "
            f"{exceeded.requested}. Please try again in {duration(exceeded.retry_after_s)}."
        )

    def limit_headers(self, gauges: Gauges) -> Headers:
        """Groq's request headers speak of the day, its token headers of the minute."""
        return self.gauge_headers(gauges.requests_per_day or gauges.requests_per_minute, gauges.tokens_per_minute)


class Groq(OpenAI):
    """Groq's chat completions."""

    refusals = GroqRefusals()
    fields = _FIELDS
    strict_json_mode = True
    reasoning_field = "reasoning"
    # Groq sends a tool call's arguments in one piece.
    splits_arguments = False
    known_models = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3-32b")

    def check(self, payload: Mapping[str, Any], messages: list[dict[str, Any]]) -> None:
        """Refuse what Groq documents as answered with a 400."""
        super().check(payload, messages)
        for name in _UNSUPPORTED:
            if payload.get(name) is not None:
                raise self.refusals.refusal(400, f"property '{name}' is unsupported")
        if (payload.get("n") or 1) != 1:
            raise self.refusals.refusal(400, "'n' : number must be at most 1", param="n")
        for number, message in enumerate(messages):
            if message.get("name") is not None:
                raise self.refusals.refusal(400, f"'messages.{number}' : property 'name' is unsupported")
        wanted = payload.get("response_format")
        if payload.get("tools") and isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema"):
            raise self.refusals.refusal(400, "json mode cannot be combined with tool/function calling")

    def usage(self, answer: Answer, choices: int) -> dict[str, Any]:
        """The counts with Groq's times, seconds; details only where there are any."""
        usage = super().usage(answer, choices)
        if not answer.cached_tokens:
            usage.pop("prompt_tokens_details")
        if not answer.reasoning_tokens:
            usage.pop("completion_tokens_details")
        prompt_time = answer.prompt_tokens * 0.00002
        completion_time = usage["completion_tokens"] * 0.001
        return usage | {
            "queue_time": 0.0001,
            "prompt_time": prompt_time,
            "completion_time": completion_time,
            "total_time": prompt_time + completion_time,
        }

    def extras(self) -> dict[str, Any]:
        """What Groq adds to a completion."""
        request_id = self.identifiers.new("req_")
        return {"usage_breakdown": None, "service_tier": "on_demand", "x_groq": {"id": request_id}}

    def first_extras(self, identifier: str) -> dict[str, Any]:
        """What Groq adds to the first chunk."""
        return {"x_groq": {"id": identifier.replace("chatcmpl-", "req_")}}

    def last_extras(self, identifier: str, prompt: Prompt, answer: Answer) -> dict[str, Any]:
        """What Groq adds to the last chunk of text: its usage, asked for or not."""
        usage = self.usage(answer, prompt.choices)
        return {"x_groq": {"id": identifier.replace("chatcmpl-", "req_"), "usage": usage}}
