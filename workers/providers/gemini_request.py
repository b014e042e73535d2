"""A chat request in Gemini's words: the body of generateContent. Format: ai.google.dev/api/generate-content."""

import re
from collections.abc import Mapping
from typing import Any

from routing.request_fields import ROUTER_FIELDS
from workers.providers.gemini_messages import conversation
from workers.providers.reader import mapping
from workers.providers.rules import FORMS, HINTS, inexpressible
from workers.providers.tools import Tool, ToolUse, tool_use

# Fields left out, and why nothing is lost.
DROPPED: Mapping[str, str] = {
    **HINTS,
    "user": "a label without an equivalent",
    "safety_identifier": "a label without an equivalent",
}
# Fields without words here that change what an answer is.
REFUSED: Mapping[str, str] = {**FORMS, "parallel_tool_calls": "it cannot be held to one call at a time"}

_GENERATION: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_TRANSLATED = frozenset(
    {"model", "messages", "tools", "tool_choice", "response_format", "stop", "seed", "reasoning_effort", *_GENERATION}
)
_LEFT_OUT = ROUTER_FIELDS | _TRANSLATED | DROPPED.keys() | REFUSED.keys() | {"generationConfig"}

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
# Tokens, as Google's own OpenAI endpoint maps them for Gemini 2.5.
_BUDGETS: Mapping[str, int] = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
_LEVELS: Mapping[str, str] = {"low": "low", "medium": "medium", "high": "high"}


def body_of(model: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The generateContent body of `request` for `model`; raises NotExpressible."""
    version = model_version(model)
    told = conversation(request.get("messages"), signed=version >= (3, 0))
    body: dict[str, Any] = {name: value for name, value in request.items() if name not in _LEFT_OUT}
    body["contents"] = told.contents
    if told.system:
        body["systemInstruction"] = {"parts": told.system}
    _add_tools(body, tool_use(request))
    generation = _generation(request)
    generation.update(_response_format(request.get("response_format")))
    thinking = _thinking(model, version, request.get("reasoning_effort"))
    if thinking:
        generation["thinkingConfig"] = thinking
    # A caller's own generationConfig is Gemini's to judge, and goes before what was translated.
    generation.update(mapping(request.get("generationConfig")))
    if generation:
        body["generationConfig"] = generation
    return body


def model_version(model: str) -> tuple[int, int]:
    """A Gemini model's version by its name; a name without one (`gemini-flash-latest`) is taken for the newest."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def _generation(request: Mapping[str, Any]) -> dict[str, Any]:
    generation = {theirs: request[ours] for ours, theirs in _GENERATION.items() if request.get(ours) is not None}
    if not generation.get("responseLogprobs"):
        generation.pop("responseLogprobs", None)
        generation.pop("logprobs", None)
    stop = request.get("stop")
    if stop:
        generation["stopSequences"] = [stop] if isinstance(stop, str) else stop
    seed = request.get("seed")
    if isinstance(seed, int):
        # Gemini's seed is an int32.
        generation["seed"] = seed if -(2**31) <= seed < 2**31 else seed % 2**31
    return generation


def _response_format(wanted: Any) -> dict[str, Any]:
    kind = mapping(wanted).get("type", "text")
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"responseMimeType": "application/json"}
    if kind == "json_schema":
        schema = mapping(mapping(wanted).get("json_schema")).get("schema")
        known = {"responseJsonSchema": schema} if isinstance(schema, dict) else {}
        return {"responseMimeType": "application/json", **known}
    raise inexpressible("response_format", "it is text, json_object or json_schema")


def _thinking(model: str, version: tuple[int, int], effort: Any) -> dict[str, Any]:
    """A reasoning_effort as Gemini 2.5 knows it (a budget), or later models (a level); earlier ones do not think."""
    if not isinstance(effort, str) or version < (2, 5):
        return {}
    shown = {} if effort == "none" else {"includeThoughts": True}
    if version < (3, 0):
        return {"thinkingBudget": _BUDGETS.get(effort, _BUDGETS["high"]), **shown}
    if effort in ("none", "minimal"):
        # No later model can be kept from thinking; "minimal" is Gemini 3 Flash's alone.
        return {"thinkingLevel": "minimal" if version < (4, 0) and "flash" in model else "low", **shown}
    return {"thinkingLevel": _LEVELS.get(effort, "high"), **shown}


def _add_tools(body: dict[str, Any], use: ToolUse) -> None:
    if not use.tools and not use.native:
        return
    declared = [{"functionDeclarations": [_declaration(tool) for tool in use.tools]}] if use.tools else []
    body["tools"] = [*declared, *use.native]
    if not use.tools:
        return
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    calling: dict[str, Any] = {"mode": modes[use.mode]}
    if use.only is not None:
        calling["allowedFunctionNames"] = [use.only]
    body["toolConfig"] = {**mapping(body.get("toolConfig")), "functionCallingConfig": calling}


def _declaration(tool: Tool) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declaration["description"] = tool.description
    if tool.parameters:
        declaration["parametersJsonSchema"] = tool.parameters
    return declaration
