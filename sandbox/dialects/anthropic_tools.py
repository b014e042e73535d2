"""Reading and checking `tools` and `tool_choice` of Anthropic's Messages API."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.dialects import fields
from sandbox.dialects.anthropic_refusals import AnthropicRefusals
from sandbox.prompt import ANY_TOOL, Tool, ToolChoice, ToolMode

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MODES = {"auto": ToolMode.AUTO, "any": ToolMode.REQUIRED, "tool": ToolMode.REQUIRED, "none": ToolMode.NONE}


def read_tools(payload: Mapping[str, Any], refusals: AnthropicRefusals) -> tuple[Tool, ...]:
    """The caller's own tools; Anthropic's server tools, which have another type, are passed over."""
    tools: list[Tool] = []
    for number, entry in enumerate(fields.array(payload.get("tools") or [], "tools")):
        tool = fields.mapping(entry, f"tools.{number}")
        if tool.get("type") not in (None, "custom"):
            continue
        path = f"tools.{number}.custom"
        for name in ("name", "input_schema"):
            if name not in tool:
                raise refusals.invalid(f"{path}.{name}", "Field required")
        name = fields.text(tool["name"], f"{path}.name")
        if not _NAME.fullmatch(name):
            raise refusals.invalid(f"{path}.name", "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        schema = fields.mapping(tool["input_schema"], f"{path}.input_schema")
        if "type" not in schema:
            raise refusals.invalid(f"{path}.input_schema.type", "Field required")
        if schema["type"] != "object":
            raise refusals.invalid(f"{path}.input_schema.type", "Input should be 'object'")
        tools.append(Tool(name, schema))
    if len({tool.name for tool in tools}) < len(tools):
        raise refusals.invalid("tools", "Tool names must be unique.")
    return tuple(tools)


def read_choice(payload: Mapping[str, Any], tools: tuple[Tool, ...], refusals: AnthropicRefusals) -> ToolChoice:
    """How the tools are to be used."""
    given = payload.get("tool_choice")
    if given is None:
        return ANY_TOOL
    choice = fields.mapping(given, "tool_choice")
    kind = choice.get("type")
    if not isinstance(kind, str) or kind not in _MODES:
        expected = "'any', 'auto', 'none', 'tool'"
        found = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        raise refusals.invalid("tool_choice", found)
    if not payload.get("tools"):
        raise refusals.invalid("tool_choice", "tool_choice may only be specified while providing tools")
    names: frozenset[str] = frozenset()
    if kind == "tool":
        name = fields.text(choice.get("name"), "tool_choice.tool.name")
        if name not in {tool.name for tool in tools}:
            raise refusals.refusal(400, f"Tool '{name}' not found in provided tools")
        names = frozenset({name})
    return ToolChoice(_MODES[kind], names, parallel=not fields.boolean(choice, "disable_parallel_tool_use"))
