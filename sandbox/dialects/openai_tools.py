"""Reading and checking `tools`, `tool_choice` and `parallel_tool_calls` of OpenAI's chat form."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.dialects import fields
from sandbox.dialects.openai_refusals import OpenAIRefusals
from sandbox.prompt import ANY_TOOL, Tool, ToolChoice, ToolMode

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_tools(payload: Mapping[str, Any], refusals: OpenAIRefusals) -> tuple[Tool, ...]:
    """The functions on offer."""
    given = payload.get("tools")
    if given is None:
        return ()
    offered = fields.array(given, "tools", "an array of objects")
    return tuple(_tool(tool, f"tools[{number}]", refusals) for number, tool in enumerate(offered))


def _tool(given: Any, path: str, refusals: OpenAIRefusals) -> Tool:
    tool = fields.mapping(given, path)
    if tool.get("type") is None:
        raise refusals.missing(f"{path}.type")
    if tool["type"] != "function":
        message = f"Invalid value: '{tool['type']}'. Supported values are: 'function'."
        raise refusals.wrong_value(f"{path}.type", message)
    function = fields.mapping(tool.get("function"), f"{path}.function")
    if function.get("name") is None:
        raise refusals.missing(f"{path}.function.name")
    name = fields.text(function["name"], f"{path}.function.name")
    if not _NAME.fullmatch(name):
        message = (
            f"Invalid '{path}.function.name': string does not match pattern. Expected a string that matches the "
            "pattern '^[a-zA-Z0-9_-]+$'."
        )
        raise refusals.wrong_value(f"{path}.function.name", message)
    parameters = function.get("parameters")
    schema = {} if parameters is None else fields.mapping(parameters, f"{path}.function.parameters")
    if schema.get("type", "object") != "object":
        message = f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"'."
        raise refusals.wrong_value(f"{path}.function.parameters", message, "invalid_function_parameters")
    return Tool(name, schema)


def read_choice(payload: Mapping[str, Any], tools: tuple[Tool, ...], refusals: OpenAIRefusals) -> ToolChoice:
    """How the tools are to be used."""
    given = payload.get("tool_choice")
    parallel = payload.get("parallel_tool_calls") is None or fields.boolean(payload, "parallel_tool_calls")
    if given is None:
        return ANY_TOOL if parallel else ToolChoice(parallel=False)
    if not tools and given != "none":
        message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
        raise refusals.refusal(400, message, param="tool_choice")
    if isinstance(given, str):
        if given not in tuple(ToolMode):
            message = f"Invalid value: '{given}'. Supported values are: 'none', 'auto', and 'required'."
            raise refusals.wrong_value("tool_choice", message)
        return ToolChoice(ToolMode(given), parallel=parallel)
    function = fields.mapping(fields.mapping(given, "tool_choice").get("function"), "tool_choice.function")
    name = fields.text(function.get("name"), "tool_choice.function.name")
    if name not in {tool.name for tool in tools}:
        message = f"Invalid value for 'tool_choice': Tool choice '{name}' not found in 'tools' parameter."
        raise refusals.refusal(400, message, param="tool_choice")
    return ToolChoice(ToolMode.REQUIRED, frozenset({name}), parallel=parallel)
