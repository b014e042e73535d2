"""Which dialect a provider's `type` names, and its adapter."""

from collections.abc import Mapping

from config.configuration import ConfigurationError
from workers.providers.anthropic import AnthropicProvider
from workers.providers.base import Account, Provider
from workers.providers.gemini import GeminiProvider
from workers.providers.groq import GroqProvider
from workers.providers.hugging_face import HuggingFaceProvider
from workers.providers.openai import OpenAIProvider

DIALECTS: Mapping[str, type[Provider]] = {
    dialect.dialect: dialect
    for dialect in (GeminiProvider, GroqProvider, HuggingFaceProvider, AnthropicProvider, OpenAIProvider)
}


def adapter(account: Account, provider_type: str) -> Provider:
    """The adapter of `provider_type` for `account`.

    Raises ConfigurationError where no dialect has that name, the endpoint is no URL, or the key or a header
    cannot stand in an HTTP header. The key itself is never in the message.
    """
    dialect = DIALECTS.get(provider_type)
    if dialect is None:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigurationError(
            f"providers.json: {account.name}.type is {provider_type!r}, but the dialects are {known}; "
            "an OpenAI-compatible endpoint is 'openai'"
        )
    if account.api_key is not None and not _fits_a_header(account.api_key):
        raise ConfigurationError(f"the API key of {account.name} has characters that no HTTP header can hold")
    for name, value in account.headers.items():
        if not name or not _fits_a_header(name) or not _fits_a_header(value):
            raise ConfigurationError(f"providers.json: {account.name}.headers.{name!r} cannot be an HTTP header")
    try:
        return dialect(account)
    except ConfigurationError as error:
        raise ConfigurationError(f"providers.json: {account.name}.{error}") from error


def _fits_a_header(value: str) -> bool:
    return value.isascii() and value.isprintable()
