"""The field names that the Gemini API knows, per message, and the check of a payload against them.

Protocol buffers take snake_case and camelCase alike, and refuse every unknown name.
Source: ai.google.dev/api/generate-content.
"""

import re
from collections.abc import Mapping
from typing import Any

Finding = tuple[str, str]

_UPPER = re.compile(r"(?<!^)([A-Z])")

REQUEST = frozenset(
    [
        "contents",
        "model",
        "system_instruction",
        "tools",
        "tool_config",
        "safety_settings",
        "generation_config",
        "cached_content",
        "service_tier",
        "store",
    ]
)
GENERATION_CONFIG = frozenset(
    [
        "candidate_count",
        "stop_sequences",
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_k",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "response_logprobs",
        "logprobs",
        "response_mime_type",
        "response_schema",
        "response_json_schema",
        "_response_json_schema",
        "response_modalities",
        "speech_config",
        "thinking_config",
        "image_config",
        "media_resolution",
        "enable_enhanced_civic_answers",
        "audio_transcription_config",
    ]
)
CONTENT = frozenset(("role", "parts"))
BATCH_EMBED = frozenset(("model", "requests"))
EMBED = frozenset(("model", "content", "task_type", "title", "output_dimensionality", "embed_content_config"))
EMBED_CONFIG = frozenset(("task_type", "title", "output_dimensionality", "auto_truncate"))
PART = frozenset(
    [
        "text",
        "inline_data",
        "file_data",
        "function_call",
        "function_response",
        "executable_code",
        "code_execution_result",
        "thought",
        "thought_signature",
        "video_metadata",
        "media_resolution",
        "part_metadata",
        "tool_call",
        "tool_response",
    ]
)
TOOL = frozenset(
    [
        "function_declarations",
        "google_search",
        "google_search_retrieval",
        "code_execution",
        "url_context",
        "computer_use",
        "file_search",
        "google_maps",
        "mcp_servers",
    ]
)
DECLARATION = frozenset(
    ["name", "description", "parameters", "parameters_json_schema", "response", "response_json_schema", "behavior"]
)
TOOL_CONFIG = frozenset(("function_calling_config", "retrieval_config", "include_server_side_tool_invocations"))
CALLING_CONFIG = frozenset(("mode", "allowed_function_names", "stream_function_call_arguments"))
SCHEMA = frozenset(
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "max_items",
        "min_items",
        "properties",
        "required",
        "min_properties",
        "max_properties",
        "min_length",
        "max_length",
        "pattern",
        "example",
        "any_of",
        "property_ordering",
        "default",
        "items",
        "minimum",
        "maximum",
    ]
)


def snake(name: str) -> str:
    """A field's name as its message declares it."""
    return _UPPER.sub(r"_\1", name).lower()


def read(value: Any, known: frozenset[str], path: str, findings: list[Finding]) -> dict[str, Any]:
    """The fields by declared name. Unknown ones, and a value that is no message, become findings."""
    if not isinstance(value, Mapping):
        findings.append((path, f"Invalid value at '{path}', expected a message object."))
        return {}
    fields: dict[str, Any] = {}
    for name, content in value.items():
        declared = snake(name)
        if declared in known:
            fields[declared] = content
        else:
            at = f" at '{path}'" if path else ""
            found = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
            findings.append((path, found))
    return fields


def messages(value: Any, path: str, findings: list[Finding]) -> list[tuple[Any, str]]:
    """The items of a repeated field with their paths; a single message stands for a list of one."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(value, path)]
    if not isinstance(value, list):
        findings.append((path, f"Invalid value at '{path}', expected a list of messages."))
        return []
    return [(item, f"{path}[{number}]") for number, item in enumerate(value)]


def scalar(fields: Mapping[str, Any], name: str, kind: type | tuple[type, ...], path: str, found: list[Finding]) -> Any:
    """An optional scalar of the kind, or None with a finding."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        at = f"{path}.{name}" if path else name
        shown = f'"{value}"' if isinstance(value, str) else str(value)[:100]
        found.append((at, f"Invalid value at '{at}', {shown}"))
        return None
    return value


def check_schema(value: Any, path: str, findings: list[Finding]) -> None:
    """Check a Schema message: Gemini's subset of OpenAPI 3.0, not JSON Schema."""
    if len(findings) > 20 or path.count(".") > 100:
        return
    schema = read(value, SCHEMA, path, findings)
    if isinstance(schema.get("type"), list):
        findings.append((f"{path}.type", f"Proto field is not repeating, cannot start list at '{path}.type'."))
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for number, inner in enumerate(properties.values()):
            check_schema(inner, f"{path}.properties[{number}].value", findings)
    if schema.get("items") is not None:
        check_schema(schema["items"], f"{path}.items", findings)
    for inner, at in messages(schema.get("any_of"), f"{path}.any_of", findings):
        check_schema(inner, at, findings)
