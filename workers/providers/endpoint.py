"""From a provider's endpoint, a base URL or a full one, to the URL of a call. Pure."""

from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from config.configuration import ConfigurationError


def split_endpoint(endpoint: str) -> SplitResult:
    """The parts of `endpoint`; ConfigurationError where it is no http(s) URL with a host."""
    try:
        parts = urlsplit(endpoint.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ConfigurationError(f"endpoint {endpoint!r} is not a URL: {error}") from error
    if not usable:
        raise ConfigurationError(f"endpoint {endpoint!r} must be an http:// or https:// URL with a host")
    return parts._replace(fragment="", path=parts.path.rstrip("/"))


def chat_url(endpoint: str) -> str:
    """The chat-completions URL: `.../chat/completions` as it is, else appended; a bare host gets `/v1` first."""
    parts = split_endpoint(endpoint)
    if parts.path.endswith("/chat/completions"):
        return parts.geturl()
    return parts._replace(path=f"{parts.path or '/v1'}/chat/completions").geturl()


def messages_url(endpoint: str) -> str:
    """Anthropic's Messages URL: `.../messages` as it is, else `/v1/messages` is completed, as its SDKs do."""
    parts = split_endpoint(endpoint)
    if parts.path.endswith("/messages"):
        return parts.geturl()
    base = parts.path if parts.path.endswith("/v1") else f"{parts.path}/v1"
    return parts._replace(path=f"{base}/messages").geturl()


@lru_cache(maxsize=1024)
def generate_url(endpoint: str, model: str) -> str:
    """Gemini's generateContent URL of `model`; a model that stands in `endpoint` is replaced by it."""
    parts = split_endpoint(endpoint)
    base, _, _ = parts.path.partition("/models/")
    base = base.removesuffix("/models") or "/v1beta"
    collection, _, name = model.rpartition("/")
    if collection not in ("models", "tunedModels"):
        collection, name = "models", model
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key != "alt"])
    path = f"{base}/{collection}/{quote(name, safe='', errors='replace')}:generateContent"
    return parts._replace(path=path, query=query).geturl()
