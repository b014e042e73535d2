"""What dialects cannot say, as data shared by several of them, and the one check that reads the tables."""

from collections.abc import Mapping
from typing import Any

from routing.errors import NotExpressible
from routing.parameters import asks_for

# Hints a native dialect has no words for. The answer keeps its form without them.
HINTS: Mapping[str, str] = {
    "logit_bias": "a sampling hint without an equivalent",
    "min_p": "a sampling hint without an equivalent",
    "top_a": "a sampling hint without an equivalent",
    "repetition_penalty": "a sampling hint without an equivalent",
    "verbosity": "a style hint without an equivalent",
    "prediction": "a speed hint without an equivalent",
    "prompt_cache_key": "a cache hint without an equivalent",
    "prompt_cache_retention": "a cache hint without an equivalent",
    "prompt_cache_options": "a cache hint without an equivalent",
    "reasoning_format": "the reasoning comes as `reasoning_content`",
    "include_reasoning": "the reasoning comes as `reasoning_content`",
}

# Fields that change what an answer is. Without words for them the request goes to another provider.
FORMS: Mapping[str, str] = {
    "audio": "it gives no audio",
    "modalities": "it gives text only",
    "web_search_options": "it has no such search",
    "moderation": "it does not moderate on request",
    "functions": "the deprecated form of `tools`",
    "function_call": "the deprecated form of `tool_choice`",
}


def refuse(dialect: str, refused: Mapping[str, str], request: Mapping[str, Any]) -> None:
    """Raise NotExpressible for the first field of `refused` that `request` really asks for."""
    for name, reason in refused.items():
        if asks_for(request, name):
            raise NotExpressible(f"{dialect} cannot express {name!r}: {reason}", param=name)


def inexpressible(where: str, reason: str) -> NotExpressible:
    """The refusal of one place in a request, such as `messages[2].content`; its top-level field is the `param`."""
    return NotExpressible(f"{where} cannot be expressed: {reason}", param=where.partition("[")[0].partition(".")[0])
