"""Which parameters of a chat request a dialect does not honour. Data; the adapters' own tables are held against it."""

from collections.abc import Mapping
from typing import Any

# Values of a parameter that ask for nothing; null is always one.
_HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"], []),
    "functions": ([],),
    "function_call": ("none",),
    "parallel_tool_calls": (True,),
}

# Names and cache keys: they change no answer, so no one is left out for them.
LABELS: frozenset[str] = frozenset(
    {"user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"}
)

_OPENAI_ONLY = frozenset({"audio", "modalities", "web_search_options", "moderation", "verbosity", "prediction"})
_CHOICES = frozenset({"n", "logprobs", "top_logprobs"})
_NATIVE = _OPENAI_ONLY | {
    "functions", "function_call", "logit_bias", "min_p", "top_a", "repetition_penalty", "reasoning_format",
    "include_reasoning",
}  # fmt: skip

# Dialect -> what it leaves out or refuses. One that is not listed passes everything on.
NOT_HONOURED: Mapping[str, frozenset[str]] = {
    "groq": _OPENAI_ONLY | _CHOICES | {"logit_bias"},
    "hugging-face": _OPENAI_ONLY,
    "google-gemini": _NATIVE | {"parallel_tool_calls"},
    "anthropic": _NATIVE
    | _CHOICES
    | {"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"},
}
_QUESTIONABLE = frozenset().union(*NOT_HONOURED.values())


def asks_for(request: Mapping[str, Any], name: str) -> bool:
    """Whether `request` really wants something of the parameter `name`."""
    value = request.get(name)
    if value is None or value in _HARMLESS.get(name, ()):
        return False
    # Many clients always send it; without tools it asks for nothing.
    return name != "parallel_tool_calls" or bool(request.get("tools"))


def questionable(request: Mapping[str, Any]) -> frozenset[str]:
    """The parameters `request` asks for that some dialect does not honour."""
    return frozenset(name for name in _QUESTIONABLE.intersection(request) if asks_for(request, name))


def not_honoured(dialect: str, parameters: frozenset[str]) -> frozenset[str]:
    """Which of `parameters` a provider of this dialect would leave out or refuse."""
    return parameters & NOT_HONOURED.get(dialect, frozenset())
