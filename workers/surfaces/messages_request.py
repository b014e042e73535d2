"""An Anthropic Messages request as the chat request it becomes. Pure; the body has been checked.

Format: platform.claude.com/docs/en/api/messages.
"""

from collections.abc import Mapping
from typing import Any

from workers.reading import mapping, text
from workers.surfaces.messages_turns import chat_messages

# What is translated here, or has no meaning for another provider and changes no answer.
_TRANSLATED = frozenset(
    {
        "system", "messages", "tools", "tool_choice", "stop_sequences", "thinking", "output_config", "output_format",
        "metadata", "service_tier", "cache_control", "top_k",
    }
)  # fmt: skip
_LEFT_OUT = frozenset(
    {"betas", "context_management", "diagnostics", "speed", "user_profile_id", "workspace_id", "container"}
    | {"mcp_servers", "inference_geo"}
)
_MODES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}
# A thinking budget, in tokens, up to which an effort goes.
_EFFORTS = ((4096, "low"), (16_383, "medium"))


def chat_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """The chat request that `body` asks for.

    What only Anthropic has words for stands in the router's own field `anthropic`, which its adapter reads and no
    other. Fields that Anthropic's API does not know pass as they are.
    """
    chat = {name: value for name, value in body.items() if name not in _TRANSLATED and name not in _LEFT_OUT}
    chat["messages"] = chat_messages(body.get("system"), body["messages"])
    _add_tools(chat, body)
    if stop := body.get("stop_sequences"):
        chat["stop"] = list(stop)
    if user := text(mapping(body.get("metadata")).get("user_id")):
        chat["user"] = user
    if tier := body.get("service_tier"):
        chat["service_tier"] = "default" if tier == "standard_only" else tier
    output = dict(mapping(body.get("output_config")))
    if form := output.get("format") or body.get("output_format"):
        output["format"] = form
        schema = mapping(form).get("schema")
        chat["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    if effort := _effort(mapping(body.get("thinking")), output):
        chat["reasoning_effort"] = effort
    native = {name: body.get(name) for name in ("thinking", "cache_control", "top_k")} | {"output_config": output}
    chat["anthropic"] = {name: value for name, value in native.items() if value not in (None, {})}
    return chat


def _add_tools(chat: dict[str, Any], body: Mapping[str, Any]) -> None:
    tools = body.get("tools")
    if not tools:
        return
    chat["tools"] = [_tool(tool) for tool in tools]
    choice = mapping(body.get("tool_choice"))
    if not choice:
        return
    if choice["type"] == "tool":
        chat["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}}
    else:
        chat["tool_choice"] = _MODES[choice["type"]]
    if choice.get("disable_parallel_tool_use"):
        chat["parallel_tool_calls"] = False


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool["name"], "parameters": tool["input_schema"]}
    if description := tool.get("description"):
        function["description"] = description
    if tool.get("strict"):
        function["strict"] = True
    chat: dict[str, Any] = {"type": "function", "function": function}
    if mark := tool.get("cache_control"):
        chat["cache_control"] = mark
    return chat


def _effort(thinking: Mapping[str, Any], output: Mapping[str, Any]) -> str | None:
    """How hard a provider that knows no budget is to think; None leaves it to the model.

    Thinking that is switched off asks for nothing: most models that cannot switch it refuse to be told so.
    """
    if effort := text(output.get("effort")):
        return "xhigh" if effort == "max" else effort
    if thinking.get("type") != "enabled":
        return None
    budget = thinking["budget_tokens"]
    return next((effort for most, effort in _EFFORTS if budget <= most), "high")
