"""Hugging Face's router: OpenAI's chat completions in front of many inference partners."""

from collections.abc import Mapping
from typing import ClassVar

from workers.providers.openai import OpenAIProvider

_UNKNOWN = "OpenAI's own hint"


class HuggingFaceProvider(OpenAIProvider):
    """Hugging Face's accent. A model may name the partner, as in `openai/gpt-oss-20b:groq`."""

    dialect: ClassVar[str] = "hugging-face"
    DROPPED: ClassVar[Mapping[str, str]] = {
        "verbosity": _UNKNOWN,
        "prediction": _UNKNOWN,
        "prompt_cache_key": _UNKNOWN,
        "prompt_cache_retention": _UNKNOWN,
        "prompt_cache_options": _UNKNOWN,
        "safety_identifier": _UNKNOWN,
    }
    REFUSED: ClassVar[Mapping[str, str]] = {
        "audio": "it gives no audio",
        "modalities": "it gives text only",
        "web_search_options": "it has no such search",
        "moderation": "it does not moderate on request",
    }
    MESSAGE_DROPPED: ClassVar[frozenset[str]] = frozenset({"refusal", "annotations", "audio"})
    # Its OpenAI-compatible part has chat alone; feature extraction goes to each partner in that partner's own form.
    EMBEDS: ClassVar[bool] = False
