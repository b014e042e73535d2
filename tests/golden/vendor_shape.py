"""Vendors' documented requests, as their own clients have them: what a request has that they do not know."""

import types
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from anthropic.types.message_create_params import MessageCreateParams
from google.genai import types as gemini
from groq.types.chat.completion_create_params import CompletionCreateParams as GroqParams
from openai.types.chat.completion_create_params import CompletionCreateParams as OpenAIParams
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

_TYPED: dict[str, Any] = {
    "openai": OpenAIParams,
    # Its router speaks OpenAI's dialect, and names no other.
    "hugging-face": OpenAIParams,
    "groq": GroqParams,
    "anthropic": MessageCreateParams,
}
_GEMINI: dict[str, TypeAdapter[Any]] = {
    "contents": TypeAdapter(list[gemini.Content]),
    "systemInstruction": TypeAdapter(gemini.Content),
    "tools": TypeAdapter(list[gemini.Tool]),
    "toolConfig": TypeAdapter(gemini.ToolConfig),
    "generationConfig": TypeAdapter(gemini.GenerationConfig),
}
_hints = lru_cache(maxsize=None)(partial(get_type_hints, include_extras=True))
# What a vendor documents and the parameters of its client leave out: Groq's own type of a chunk speaks of it.
_UNLISTED: dict[str, frozenset[str]] = {"groq": frozenset({"stream_options"})}
_WRAPPERS = (Required, NotRequired, Annotated)


def request_faults(provider: str, body: dict[str, Any]) -> list[str]:
    """Where a request departs from the vendor's; Gemini's own types raise pydantic's error."""
    if provider != "google-gemini":
        left_out = _UNLISTED.get(provider, frozenset())
        listed = {name: value for name, value in body.items() if name not in left_out}
        return faults(listed, _TYPED[provider], "request")
    for name, value in body.items():
        # They forbid what they do not know.
        _GEMINI[name].validate_python(value)
    return []


def faults(value: Any, hint: Any, path: str) -> list[str]:
    """Where `value` departs from the type `hint`: unknown and missing fields, wrong types and words."""
    origin, args = get_origin(hint), get_args(hint)
    found: list[str] = []
    if origin in _WRAPPERS:
        found = faults(value, args[0], path)
    elif origin is Union or origin is types.UnionType:
        found = min((faults(value, arm, path) for arm in args), key=len)
    elif origin is Literal:
        found = [] if value in args else [f"{path}: {value!r} is none of {args}"]
    elif is_typeddict(hint):
        found = _object_faults(value, hint, path)
    elif origin is not None and issubclass(origin, Iterable) and not issubclass(origin, Mapping):
        found = _list_faults(value, args[0], path)
    elif hint not in (Any, object):
        found = [] if _is_a(value, origin or hint) else [f"{path}: {value!r} is no {hint}"]
    return found


def _is_a(value: Any, kind: Any) -> bool:
    if kind is dict or not isinstance(kind, type) or issubclass(kind, Mapping):
        return isinstance(value, dict)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _list_faults(value: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: no list"]
    return [fault for number, item in enumerate(value) for fault in faults(item, hint, f"{path}[{number}]")]


def _object_faults(value: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    hints = _hints(hint)
    found = [f"{path}: {name} is not known" for name in value if name not in hints]
    found += [f"{path}: {name} is missing" for name in hint.__required_keys__ if name not in value]
    known = [(name, item) for name, item in value.items() if name in hints]
    return found + [fault for name, item in known for fault in faults(item, hints[name], f"{path}.{name}")]
