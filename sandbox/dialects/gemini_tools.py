"""Reading and checking `tools` and `toolConfig` of the Gemini API."""

import re
from typing import Any

from sandbox.dialects import gemini_refusals as refusals
from sandbox.dialects.gemini_fields import (
    CALLING_CONFIG,
    DECLARATION,
    TOOL,
    TOOL_CONFIG,
    Finding,
    check_schema,
    messages,
    read,
    scalar,
)
from sandbox.prompt import ANY_TOOL, Tool, ToolChoice, ToolMode

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_MODES = {
    "MODE_UNSPECIFIED": ToolMode.AUTO,
    "AUTO": ToolMode.AUTO,
    "VALIDATED": ToolMode.AUTO,
    "ANY": ToolMode.REQUIRED,
    "NONE": ToolMode.NONE,
}


def read_tools(request: dict[str, Any], findings: list[Finding]) -> tuple[Tool, ...]:
    """The declared functions. Type errors go to `findings`; raises a refusal for declarations that cannot be."""
    tools: list[Tool] = []
    for item, path in messages(request.get("tools"), "tools", findings):
        declared = read(item, TOOL, path, findings).get("function_declarations")
        for declaration, at in messages(declared, f"{path}.function_declarations", findings):
            tools.append(_tool(declaration, at, findings))
    return tuple(tools)


def _tool(value: Any, path: str, findings: list[Finding]) -> Tool:
    declaration = read(value, DECLARATION, path, findings)
    name = scalar(declaration, "name", str, path, findings) or ""
    schema = declaration.get("parameters")
    if schema is not None:
        check_schema(schema, f"{path}.parameters", findings)
    else:
        schema = declaration.get("parameters_json_schema") or {}
    if findings:
        return Tool(name, {})
    if not _NAME.fullmatch(name):
        message = (
            "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), "
            "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
        )
        raise refusals.invalid(f"{path}.name", message)
    declared = declaration.get("parameters")
    if declared and str(declared.get("type", "")).upper() == "OBJECT" and not declared.get("properties"):
        raise refusals.invalid(f"{path}.parameters.properties", "should be non-empty for OBJECT type")
    return Tool(name, schema if isinstance(schema, dict) else {})


def read_choice(request: dict[str, Any], tools: tuple[Tool, ...], findings: list[Finding]) -> ToolChoice:
    """How the functions are to be used."""
    if request.get("tool_config") is None:
        return ANY_TOOL
    config = read(request["tool_config"], TOOL_CONFIG, "tool_config", findings).get("function_calling_config")
    if config is None:
        return ANY_TOOL
    path = "tool_config.function_calling_config"
    config = read(config, CALLING_CONFIG, path, findings)
    mode = scalar(config, "mode", str, path, findings) or "AUTO"
    if mode.upper() not in _MODES:
        findings.append((f"{path}.mode", f"Invalid value at '{path}.mode', \"{mode}\""))
        return ANY_TOOL
    allowed = config.get("allowed_function_names") or []
    names = frozenset(name for name in allowed if isinstance(name, str)) if isinstance(allowed, list) else frozenset()
    known = {tool.name for tool in tools}
    if names and not findings:
        if mode.upper() not in ("ANY", "VALIDATED"):
            told = "Allowed function names should only be set when function calling mode is ANY or VALIDATED."
            raise refusals.refusal(400, told)
        if unknown := sorted(names - known):
            told = f"allowed_function_names contains functions that were not declared: {', '.join(unknown)}"
            raise refusals.invalid(f"{path}.allowed_function_names", told)
    return ToolChoice(_MODES[mode.upper()], names)
