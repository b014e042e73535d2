"""What OpenAI's own API refuses and its copies mostly let pass."""

from collections.abc import Mapping
from typing import Any

from sandbox.dialects.openai import OpenAI

# Source: the parameters of the official client's chat.completions.create.
_FIELDS = frozenset(
    [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)


class OpenAIPlatform(OpenAI):
    """api.openai.com."""

    fields = _FIELDS
    embedding_fields = frozenset(("model", "input", "encoding_format", "dimensions", "user"))
    strict_json_mode = True
    reasoning_field = None

    def check(self, payload: Mapping[str, Any], messages: list[dict[str, Any]]) -> None:
        """Also: every tool message answers a tool call of the assistant, and every call is answered."""
        super().check(payload, messages)
        waiting: set[str] = set()
        for number, message in enumerate(messages):
            if message["role"] == "tool":
                if message.get("tool_call_id") not in waiting:
                    text = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                    path = f"messages[{number}].role"
                    raise self.refusals.refusal(400, f"Invalid parameter: {text}", param=path)
                waiting.discard(message["tool_call_id"])
                continue
            self._all_answered(waiting, number)
            waiting = {call["id"] for call in message.get("tool_calls") or ()}
        self._all_answered(waiting, len(messages))

    def _all_answered(self, waiting: set[str], number: int) -> None:
        if waiting:
            text = (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
            )
            raise self.refusals.refusal(400, text, param=f"messages[{number - 1}].role")
