"""A request of OpenAI's Responses API as a chat request, and what of it the answer repeats. Pure; it was checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.surfaces.responses_input import Item, messages_of
from workers.surfaces.responses_object import REPEATED

LOGPROBS = "message.output_text.logprobs"
# Fields a chat request says otherwise, or not at all. Every other one has the same name and meaning there.
_TRANSLATED = frozenset(
    {
        "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
        "max_output_tokens", "top_logprobs", "include",
    }
)  # fmt: skip
# What a chat request of this file has that its own request has not.
WRITTEN = frozenset(
    {
        "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "verbosity", "reasoning_effort",
        "max_tokens", "logprobs", "top_logprobs",
    }
)  # fmt: skip
# Fields that only a Responses endpoint has words for.
NATIVE_ONLY = ("prompt", "context_management", "moderation", "access_programs", "image")
# Those, and the fields that a chat says otherwise or not at all, as such an endpoint takes them.
NATIVE_FIELDS = (
    *sorted(_TRANSLATED - {"input"}), "truncation", "max_tool_calls", "stream_options", *NATIVE_ONLY,
)  # fmt: skip
_OWN = "it belongs to chat completions; here the field is "
# Fields without words here that change what an answer is, and what to do instead.
REFUSED: Mapping[str, str] = {
    "conversation": "conversations are not kept here; use previous_response_id, or send the items",
    "messages": _OWN + "input",
    "functions": _OWN + "tools",
    "function_call": _OWN + "tool_choice",
    "response_format": _OWN + "text.format",
    "verbosity": _OWN + "text.verbosity",
    "reasoning_effort": _OWN + "reasoning.effort",
    "max_tokens": _OWN + "max_output_tokens",
    "max_completion_tokens": _OWN + "max_output_tokens",
    "logprobs": _OWN + f'include, with "{LOGPROBS}"',
    "n": "a response is one answer",
    "modalities": "a response is text",
    "audio": "a response is text",
}
# They steer this surface, or only what OpenAI itself keeps and bills; no answer depends on them here.
_LEFT_OUT = REFUSED.keys() | {
    *NATIVE_ONLY, "previous_response_id", "store", "truncation", "max_tool_calls", "background_options",
    "stream_options",
}  # fmt: skip


def conversation_of(body: Mapping[str, Any], before: Sequence[Item]) -> list[Item]:
    """All items of a request, those of the responses `before` it first."""
    given = body.get("input")
    if isinstance(given, str):
        given = [{"type": "message", "role": "user", "content": given}]
    return [*before, *(given or ())]


def passed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `body` that every provider has under the same name, and the router's own."""
    return {name: value for name, value in body.items() if name not in _TRANSLATED and name not in _LEFT_OUT}


def chat_request(body: Mapping[str, Any], items: Sequence[Item], *, earlier: int = 0) -> dict[str, Any]:
    """The chat request of `body`, whose conversation is `items`, the first `earlier` of them not from its own input.

    Raises InvalidRequest where items have no chat message to stand in.
    """
    chat = passed(body)
    chat["messages"] = messages_of(body.get("instructions"), items, earlier=earlier)
    if tools := body.get("tools"):
        chat["tools"] = [_tool(tool) for tool in tools]
        if (choice := body.get("tool_choice")) is not None:
            chat["tool_choice"] = _choice(choice)
        if body.get("parallel_tool_calls") is not None:
            chat["parallel_tool_calls"] = body["parallel_tool_calls"]
    chat.update(_text(body.get("text") or {}))
    if effort := (body.get("reasoning") or {}).get("effort"):
        chat["reasoning_effort"] = effort
    if limit := body.get("max_output_tokens"):
        # The name that every vendor knows, or its adapter renames.
        chat["max_tokens"] = limit
    top = body.get("top_logprobs")
    if top or LOGPROBS in (body.get("include") or ()):
        chat["logprobs"] = True
        if top:
            chat["top_logprobs"] = top
    return chat


def echo_of(body: Mapping[str, Any], items: Sequence[Item]) -> dict[str, Any]:
    """What the answer repeats of `body`, and its conversation unless it is not to be kept."""
    echo = {name: body[name] for name in REPEATED if body.get(name) is not None}
    if "tools" in echo:
        unsaid = {"description": None, "parameters": None, "strict": None}
        echo["tools"] = [{**unsaid, **tool} if tool["type"] == "function" else tool for tool in echo["tools"]]
    if "text" in echo:
        echo["text"] = {**echo["text"], "format": echo["text"].get("format") or {"type": "text"}}
    if "reasoning" in echo:
        echo["reasoning"] = {**REPEATED["reasoning"], **echo["reasoning"]}
    if echo.get("store", True):
        echo["input"] = list(items)
    return echo


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {name: tool[name] for name in names if tool.get(name) is not None}}


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "function":
        return {"type": "function", "function": {"name": choice["name"]}}
    tools = [{"type": "function", "function": {"name": tool["name"]}} for tool in choice["tools"]]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice["mode"], "tools": tools}}


def _text(wanted: Mapping[str, Any]) -> dict[str, Any]:
    chat: dict[str, Any] = {}
    form = wanted.get("format") or {"type": "text"}
    if form["type"] == "json_object":
        chat["response_format"] = {"type": "json_object"}
    elif form["type"] == "json_schema":
        names = ("name", "description", "schema", "strict")
        named = {name: form[name] for name in names if form.get(name) is not None}
        chat["response_format"] = {"type": "json_schema", "json_schema": named}
    if verbosity := wanted.get("verbosity"):
        chat["verbosity"] = verbosity
    return chat
