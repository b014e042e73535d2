"""Groq: OpenAI's chat completions without log probabilities and with one answer per request."""

from collections.abc import Mapping
from typing import ClassVar

from workers.providers.openai import OpenAIProvider

_UNKNOWN = "OpenAI's own hint"


class GroqProvider(OpenAIProvider):
    """Groq's accent, as console.groq.com/docs/openai lists it ("Currently Unsupported OpenAI Features")."""

    dialect: ClassVar[str] = "groq"
    DROPPED: ClassVar[Mapping[str, str]] = {
        "logit_bias": "a sampling hint that Groq answers with 400",
        "verbosity": _UNKNOWN,
        "prediction": _UNKNOWN,
        "prompt_cache_key": _UNKNOWN,
        "prompt_cache_retention": _UNKNOWN,
        "prompt_cache_options": _UNKNOWN,
        "safety_identifier": _UNKNOWN,
    }
    REFUSED: ClassVar[Mapping[str, str]] = {
        "n": "it gives one answer per request",
        "logprobs": "it gives no log probabilities",
        "top_logprobs": "it gives no log probabilities",
        "audio": "it gives no audio",
        "modalities": "it gives text only",
        "web_search_options": "it has no such search",
        "moderation": "it does not moderate on request",
    }
    MESSAGE_DROPPED: ClassVar[frozenset[str]] = frozenset({"name", "refusal", "annotations", "audio"})
    EMBEDS: ClassVar[bool] = False
    EFFORTS: ClassVar[Mapping[str, str]] = {"minimal": "low", "xhigh": "high", "max": "high"}
