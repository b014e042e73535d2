"""Reading and checking a request of OpenAI's Responses API. Source: OpenAI's API reference, and its client's types."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.dialects import fields
from sandbox.dialects.openai_tools import read_choice, read_tools
from sandbox.prompt import Prompt, ResponseWish, Transcript, TranscriptBuilder

if TYPE_CHECKING:
    from sandbox.dialects.openai import OpenAI

# The parameters of the official client's responses.create.
_FIELDS = frozenset(
    {
        "access_programs", "background", "context_management", "image", "include", "input", "instructions",
        "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
        "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip
_ITEM_FIELDS: Mapping[str, frozenset[str]] = {
    "message": frozenset({"type", "id", "role", "content", "status", "phase"}),
    "function_call": frozenset({"type", "id", "call_id", "name", "arguments", "status", "namespace"}),
    "function_call_output": frozenset({"type", "id", "call_id", "output", "status"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_REPEATED = (
    "background", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls",
    "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
)  # fmt: skip
# Tools that OpenAI runs itself, and those whose calls the caller answers.
HOSTED = ("web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation")
_TOOLS = frozenset(HOSTED) | {
    "function",
    "custom",
    "mcp",
    "computer_use_preview",
    "local_shell",
    "shell",
    "apply_patch",
}


def read_response(dialect: "OpenAI", payload: dict[str, Any]) -> Prompt:
    """The prompt of a request. Raises a refusal, or WrongType."""
    refusals = dialect.refusals
    if dialect.fields is not None and (unknown := payload.keys() - _FIELDS):
        name = min(unknown)
        raise refusals.refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    model = dialect.model_of(payload)
    if payload.get("previous_response_id") is not None:
        told = f"Previous response with id '{payload['previous_response_id']}' not found."
        raise refusals.refusal(400, told, param="previous_response_id", code="previous_response_not_found")
    transcript = _transcript(dialect, payload)
    given = [fields.mapping(tool, f"tools[{at}]") for at, tool in enumerate(_listed(payload, "tools"))]
    for at, tool in enumerate(given):
        if tool.get("type") not in _TOOLS:
            raise refusals.wrong_value(f"tools[{at}].type", f"Invalid value: '{tool.get('type')}'.")
    functions = [{"type": "function", "function": tool} for tool in given if tool["type"] == "function"]
    tools = read_tools({"tools": functions}, refusals)
    return Prompt(
        model=model,
        transcript=transcript,
        tools=tools,
        tool_choice=read_choice(_choice(payload), tools, refusals),
        max_tokens=dialect.bounded(payload, "max_output_tokens", 1, None),
        schema=_schema(dialect, payload),
        stream=fields.boolean(payload, "stream"),
        include_usage=True,
        response=_wish(payload, given, transcript),
    )


def _wish(payload: Mapping[str, Any], tools: list[dict[str, Any]], said: Transcript) -> ResponseWish:
    named = [str(tool.get("name")) for tool in tools if tool["type"] == "custom"]
    return ResponseWish(
        repeated={name: payload[name] for name in _REPEATED if payload.get(name) is not None},
        hosted=tuple(tool["type"] for tool in tools if tool["type"] in HOSTED and _is_called(tool, payload, said)),
        custom=tuple(name for name in named if name in said.last_user_text),
    )


def _transcript(dialect: "OpenAI", payload: Mapping[str, Any]) -> Transcript:
    given = payload.get("input")
    if given is None:
        raise dialect.refusals.missing("input")
    said = TranscriptBuilder()
    if payload.get("instructions"):
        said.other(fields.text(payload["instructions"], "instructions"))
    if isinstance(given, str):
        said.user(given)
        return said.done()
    for place, item in enumerate(fields.array(given, "input", "one of a string or array of objects")):
        _read_item(dialect, fields.mapping(item, f"input[{place}]"), f"input[{place}]", said)
    return said.done()


def _read_item(dialect: "OpenAI", item: dict[str, Any], path: str, said: TranscriptBuilder) -> None:
    kind = item.get("type") or "message"
    if dialect.fields is not None and (unknown := item.keys() - _ITEM_FIELDS.get(kind, item.keys())):
        name = f"{path}.{min(unknown)}"
        raise dialect.refusals.refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    if kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content")):
        told = f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is set to false."
        raise dialect.refusals.refusal(404, told, param="input")
    if kind == "message":
        words = _words(dialect, item.get("content"), f"{path}.content", said)
        said.user(words) if item.get("role") == "user" else said.other(words)
    elif kind in _OUTPUTS:
        said.tool(_words(dialect, item.get("output"), f"{path}.output", said))
    else:
        said.other("".join(str(item.get(name) or "") for name in ("name", "arguments", "input")))


def _words(dialect: "OpenAI", content: Any, path: str, said: TranscriptBuilder) -> str:
    if isinstance(content, str):
        return content
    words = []
    for place, part in enumerate(fields.array(content, path, "one of a string or array of objects")):
        told = fields.mapping(part, f"{path}[{place}]")
        if told.get("type") == "input_image":
            said.image()
        elif told.get("type") in ("input_text", "output_text", "refusal"):
            words.append(str(told.get("text") or told.get("refusal") or ""))
        elif told.get("type") not in ("input_file", "input_audio"):
            raise dialect.refusals.wrong_value(f"{path}[{place}].type", f"Invalid value: '{told.get('type')}'.")
    return "".join(words)


def _listed(payload: Mapping[str, Any], name: str) -> list[Any]:
    return fields.array(payload.get(name) or [], name, "an array of objects")


def _choice(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The choice among functions, as chat says it; without functions, or of another tool, it is none."""
    choice = payload.get("tool_choice")
    if isinstance(choice, dict):
        named = {"type": "function", "function": {"name": choice.get("name")}}
        choice = named if choice.get("type") == "function" else None
    if all(tool.get("type") != "function" for tool in _listed(payload, "tools")):
        choice = None
    return {"tool_choice": choice, "parallel_tool_calls": payload.get("parallel_tool_calls")}


def _is_called(tool: Mapping[str, Any], payload: Mapping[str, Any], transcript: Transcript) -> bool:
    choice = payload.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == tool["type"]:
        return True
    return choice != "none" and tool["type"] in transcript.last_user_text


def _schema(dialect: "OpenAI", payload: Mapping[str, Any]) -> dict[str, Any] | None:
    form = fields.mapping(fields.mapping(payload.get("text") or {}, "text").get("format") or {}, "text.format")
    if form.get("type") == "json_schema":
        return dialect.schema({"response_format": {"type": "json_schema", "json_schema": form}})
    return dialect.schema({"response_format": form or None})
