"""Which dialect a provider's name stands for. Everyone unknown speaks OpenAI's."""

from sandbox.dialects.anthropic import Anthropic
from sandbox.dialects.base import Dialect
from sandbox.dialects.gemini import Gemini
from sandbox.dialects.groq import Groq
from sandbox.dialects.hugging_face import HuggingFace
from sandbox.dialects.openai import OpenAI
from sandbox.dialects.openai_platform import OpenAIPlatform
from sandbox.identifiers import Identifiers

_BY_NAME: dict[str, type[Dialect]] = {
    "anthropic": Anthropic,
    "google-gemini": Gemini,
    "groq": Groq,
    "hugging-face": HuggingFace,
    "openai": OpenAIPlatform,
}
# Names come from callers: beyond this many, dialects are built anew.
_KEPT = 1000


class Dialects:
    """The dialects in use, one per provider name."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._dialects: dict[str, Dialect] = {}

    def of(self, provider: str) -> Dialect:
        """The dialect of a provider."""
        dialect = self._dialects.get(provider)
        if dialect is None:
            if len(self._dialects) >= _KEPT:
                self._dialects.clear()
            dialect = self._dialects[provider] = _BY_NAME.get(provider, OpenAI)(provider, self._identifiers)
        return dialect
