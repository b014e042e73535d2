"""Tools, the choice among them and the calls of them, read from OpenAI's form for the native dialects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.providers.reader import mapping, objects, text
from workers.providers.rules import inexpressible


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `parameters` is its JSON schema; None: it takes none."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool = False
    # Anthropic's cache mark; other dialects pass it over.
    mark: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What the model may call. `mode` is auto, none or required; `only` the one function it must call."""

    tools: tuple[Tool, ...] = ()
    # The vendor's own tools, in its own words: an entry whose type OpenAI does not know.
    native: tuple[dict[str, Any], ...] = ()
    mode: str = "auto"
    only: str | None = None
    parallel: bool = True

    @property
    def forced(self) -> bool:
        """Whether an answer without a call is ruled out."""
        return self.only is not None or self.mode == "required"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call in the history. `extra` is what one vendor's dialect hung on it, by vendor."""

    call_id: str
    name: str
    arguments: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)


def tool_use(request: Mapping[str, Any]) -> ToolUse:
    """The tools of `request`; NotExpressible for a custom tool, or a choice without tools to choose from."""
    tools: list[Tool] = []
    native: list[dict[str, Any]] = []
    for index, entry in enumerate(objects(request.get("tools"))):
        if isinstance(entry.get("function"), dict):
            tools.append(_tool(entry["function"], mapping(entry.get("cache_control"))))
        elif isinstance(entry.get("custom"), dict):
            raise inexpressible(f"tools[{index}]", "a custom tool takes free text; only functions are known")
        else:
            native.append(entry)
    mode, only, allowed = _choice(request.get("tool_choice"))
    if allowed is not None:
        tools = [tool for tool in tools if tool.name in allowed]
    if (only is not None or mode == "required") and not tools and not native:
        raise inexpressible("tool_choice", "there is no such tool to choose")
    return ToolUse(tuple(tools), tuple(native), mode, only, parallel=request.get("parallel_tool_calls") is not False)


def tool_calls(message: Mapping[str, Any], where: str) -> list[ToolCall]:
    """The calls an assistant message made; NotExpressible where one's arguments are no JSON object."""
    calls = []
    for index, call in enumerate(objects(message.get("tool_calls"))):
        function = mapping(call.get("function"))
        name = text(function.get("name"))
        if not name:
            raise inexpressible(f"{where}.tool_calls[{index}]", "only calls of functions are known")
        calls.append(
            ToolCall(
                call_id=text(call.get("id")),
                name=name,
                arguments=_arguments(function.get("arguments"), f"{where}.tool_calls[{index}]"),
                extra=mapping(call.get("extra_content")),
            )
        )
    return calls


def _tool(function: dict[str, Any], mark: dict[str, Any]) -> Tool:
    parameters = function.get("parameters")
    return Tool(
        name=text(function.get("name")),
        description=text(function.get("description")) or None,
        parameters=parameters if isinstance(parameters, dict) and parameters else None,
        strict=function.get("strict") is True,
        mark=mark or None,
    )


def _choice(choice: Any) -> tuple[str, str | None, frozenset[str] | None]:
    """The mode, the one function, and the names allowed (None: all)."""
    if choice is None:
        return "auto", None, None
    if choice in ("auto", "none", "required"):
        return choice, None, None
    if isinstance(choice, dict) and choice.get("type") == "function":
        return "required", text(mapping(choice.get("function")).get("name")), None
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = mapping(choice.get("allowed_tools"))
        names = frozenset(text(mapping(tool.get("function")).get("name")) for tool in objects(allowed.get("tools")))
        return "required" if allowed.get("mode") == "required" else "auto", None, names
    raise inexpressible("tool_choice", "it is auto, none, required, a function or allowed_tools")


def _arguments(raw: Any, where: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text(raw) or "{}")
    except (ValueError, RecursionError) as error:
        raise inexpressible(where, "its arguments are not JSON") from error
    if not isinstance(arguments, dict):
        raise inexpressible(where, "its arguments are not a JSON object")
    return arguments
