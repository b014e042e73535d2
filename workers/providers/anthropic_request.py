"""A chat request in Anthropic's words: the body of /v1/messages. Format: platform.claude.com/docs/en/api/messages."""

import re
from collections.abc import Mapping
from typing import Any

from routing.request_fields import ROUTER_FIELDS
from workers.providers.anthropic_messages import Conversation, conversation, thinking_can_go_on
from workers.providers.anthropic_schema import strict_schema
from workers.providers.reader import mapping
from workers.providers.rules import FORMS, HINTS, inexpressible
from workers.providers.tools import Tool, ToolUse, tool_use

# Anthropic requires a ceiling; every model since Claude 4.5 can give more than this.
DEFAULT_MAX_TOKENS = 16_384
# The tool that stands in for OpenAI's JSON mode: what the model calls it with is the answer.
JSON_TOOL = "router_json_answer"

_SAMPLING = ("temperature", "top_p", "top_k")
# What a request may say to Anthropic alone, in the router's field `anthropic`; it goes before what is translated.
_NATIVE = ("thinking", "output_config", "cache_control", "top_k")
# Fields left out, and why nothing is lost.
DROPPED: Mapping[str, str] = {
    **HINTS,
    **dict.fromkeys(_SAMPLING, "a sampling hint the API has no more since version 2026-10-21"),
    "frequency_penalty": "a sampling hint without an equivalent",
    "presence_penalty": "a sampling hint without an equivalent",
    "seed": "a sampling hint without an equivalent",
}
# Fields without words here that change what an answer is.
REFUSED: Mapping[str, str] = {
    **FORMS,
    "n": "it gives one answer per request",
    "logprobs": "it gives no log probabilities",
    "top_logprobs": "it gives no log probabilities",
}

_TRANSLATED = frozenset(
    {
        "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "user",
        "safety_identifier", "max_tokens", "max_completion_tokens", "reasoning_effort", "output_config",
    }
)  # fmt: skip
_LEFT_OUT = ROUTER_FIELDS | _TRANSLATED | DROPPED.keys() | REFUSED.keys()

# Both orders of names: claude-sonnet-4-6, claude-3-7-sonnet-20250219. A date is no version.
_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_EFFORTS: Mapping[str, str] = {"none": "low", "minimal": "low"}
# Tokens, for the models that know only a budget (Claude 4.5 and before).
_BUDGETS: Mapping[str, int] = {"low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 32_768}
_MIN_BUDGET = 1024


def body_of(model: str, request: Mapping[str, Any], *, sampling: bool) -> dict[str, Any]:
    """The Messages body of `request` for `model`; raises NotExpressible.

    `sampling`: the account's API version (before 2026-10-21) still knows temperature, top_p and top_k.
    """
    native = mapping(request.get("anthropic"))
    if native:
        request = {**request, **{name: native[name] for name in _NATIVE if native.get(name) is not None}}
    told = conversation(request.get("messages"))
    use = tool_use(request)
    # Anthropic's own fields (thinking, cache_control, ...) are unknown to OpenAI and pass through.
    body: dict[str, Any] = {name: value for name, value in request.items() if name not in _LEFT_OUT}
    body["model"] = model
    body["messages"] = told.turns
    if told.system:
        body["system"] = told.system
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    body["max_tokens"] = limit or DEFAULT_MAX_TOKENS
    json_mode = mapping(request.get("response_format")).get("type") == "json_object"
    _add_tools(body, use, json_mode=json_mode)
    output = _response_format(request.get("response_format"))
    # A caller that speaks of thinking in Anthropic's words has said all there is to say.
    effort = None if native.get("thinking") or native.get("output_config") else request.get("reasoning_effort")
    output.update(_add_thinking(body, model, effort, told, can_raise=limit is None))
    if mapping(native.get("thinking")).get("type") == "enabled" and not thinking_can_go_on(told.turns):
        del body["thinking"]
    output.update(mapping(request.get("output_config")))
    if output:
        body["output_config"] = output
    if stop := request.get("stop"):
        body["stop_sequences"] = _stop_sequences(stop)
    if user := request.get("safety_identifier") or request.get("user"):
        body["metadata"] = {"user_id": user}
    if sampling:
        body.update(_sampling(request))
    return body


def model_version(model: str) -> tuple[int, int]:
    """A Claude model's version by its name; a name without one is taken for the newest."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def _add_tools(body: dict[str, Any], use: ToolUse, *, json_mode: bool) -> None:
    tools = [_declaration(tool) for tool in use.tools]
    choice: dict[str, Any] = {"type": {"auto": "auto", "none": "none", "required": "any"}[use.mode]}
    if use.only is not None:
        choice = {"type": "tool", "name": use.only}
    if json_mode and not use.forced:
        tools = [] if use.mode == "none" else tools
        schema = {"type": "object", "additionalProperties": True}
        words = "Answer with one JSON object: give it as the input of this tool, its members at the top level."
        choice = {"type": "any"} if tools else {"type": "tool", "name": JSON_TOOL}
        tools = [*tools, {"name": JSON_TOOL, "description": words, "input_schema": schema}]
    if not tools and not use.native:
        return
    body["tools"] = [*tools, *use.native]
    if not use.parallel and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    if choice != {"type": "auto"}:
        body["tool_choice"] = choice


def _declaration(tool: Tool) -> dict[str, Any]:
    schema = tool.parameters or {"type": "object", "properties": {}}
    declaration: dict[str, Any] = {"name": tool.name, "input_schema": schema}
    if tool.description:
        declaration["description"] = tool.description
    if tool.strict:
        declaration["strict"] = True
    if tool.mark:
        declaration["cache_control"] = tool.mark
    return declaration


def _response_format(wanted: Any) -> dict[str, Any]:
    kind = mapping(wanted).get("type", "text")
    if kind in ("text", "json_object"):
        return {}
    if kind == "json_schema":
        schema = mapping(mapping(mapping(wanted).get("json_schema")).get("schema"))
        return {"format": {"type": "json_schema", "schema": strict_schema(schema)}}
    raise inexpressible("response_format", "it is text, json_object or json_schema")


def _add_thinking(
    body: dict[str, Any], model: str, effort: Any, told: Conversation, *, can_raise: bool
) -> dict[str, Any]:
    """Switch thinking on for a reasoning_effort; the part of it that belongs in output_config is returned.

    Since Claude 4.6 an effort steers thinking; before, a budget does. A forced tool rules thinking out.
    """
    if not isinstance(effort, str):
        return {}
    forced = body.get("tool_choice", {}).get("type") in ("any", "tool")
    on = "thinking" not in body and effort not in ("none", "minimal") and not forced
    if model_version(model) >= (4, 6):
        if on:
            body["thinking"] = {"type": "adaptive"}
        return {"effort": _EFFORTS.get(effort, effort)}
    budget = _BUDGETS.get(effort, _MIN_BUDGET)
    if can_raise:
        body["max_tokens"] = max(body["max_tokens"], budget + DEFAULT_MAX_TOKENS // 2)
    budget = min(budget, body["max_tokens"] - 1)
    if on and model_version(model) >= (3, 7) and budget >= _MIN_BUDGET and thinking_can_go_on(told.turns):
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return {}


def _stop_sequences(stop: Any) -> list[str]:
    sequences = [stop] if isinstance(stop, str) else list(stop)
    if any(not isinstance(sequence, str) or not sequence.strip() for sequence in sequences):
        raise inexpressible("stop", "a stop sequence must hold more than white space")
    return sequences


def _sampling(request: Mapping[str, Any]) -> dict[str, Any]:
    sampling = {name: request[name] for name in _SAMPLING if request.get(name) is not None}
    temperature = sampling.get("temperature")
    if isinstance(temperature, int | float):
        # 0 to 1 here, 0 to 2 in OpenAI's form; models since Claude 4.5 take one of the two only.
        sampling["temperature"] = min(temperature, 1)
        sampling.pop("top_p", None)
    return sampling
