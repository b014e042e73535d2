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
    """The chat-completions URL: `.../chat/completions` as it is, else appended; a bare host gets `/v1` first.

    An endpoint that is the URL of the embeddings or of the responses stands for the one beside it.
    """
    parts = split_endpoint(endpoint)
    parts = parts._replace(path=parts.path.removesuffix("/embeddings").removesuffix("/responses"))
    if parts.path.endswith("/chat/completions"):
        return parts.geturl()
    return parts._replace(path=f"{parts.path or '/v1'}/chat/completions").geturl()


def models_url(endpoint: str) -> str:
    """The URL of the list of models that belongs to `chat_url`: beside `/chat/completions`."""
    parts = split_endpoint(chat_url(endpoint))
    return parts._replace(path=parts.path.removesuffix("/chat/completions") + "/models").geturl()


@lru_cache(maxsize=1024)
def embeddings_url(endpoint: str) -> str:
    """The URL of the embeddings: `.../embeddings` as it is, else beside the `/chat/completions` of `chat_url`."""
    parts = split_endpoint(endpoint)
    if parts.path.endswith("/embeddings"):
        return parts.geturl()
    parts = split_endpoint(chat_url(endpoint))
    return parts._replace(path=parts.path.removesuffix("/chat/completions") + "/embeddings").geturl()


@lru_cache(maxsize=1024)
def responses_url(endpoint: str) -> str:
    """The URL of the responses: `.../responses` as it is, else beside the `/chat/completions` of `chat_url`."""
    parts = split_endpoint(endpoint)
    if parts.path.endswith("/responses"):
        return parts.geturl()
    parts = split_endpoint(chat_url(endpoint))
    return parts._replace(path=parts.path.removesuffix("/chat/completions") + "/responses").geturl()


def messages_url(endpoint: str) -> str:
    """Anthropic's Messages URL: `.../messages` as it is, else `/v1/messages` is completed, as its SDKs do."""
    parts = split_endpoint(endpoint)
    if parts.path.endswith("/messages"):
        return parts.geturl()
    base = parts.path if parts.path.endswith("/v1") else f"{parts.path}/v1"
    return parts._replace(path=f"{base}/messages").geturl()


def messages_models_url(endpoint: str) -> str:
    """The URL of Anthropic's list of models, beside `/messages`."""
    parts = split_endpoint(messages_url(endpoint))
    return parts._replace(path=parts.path.removesuffix("/messages") + "/models").geturl()


@lru_cache(maxsize=1024)
def generate_url(endpoint: str, model: str, *, stream: bool = False) -> str:
    """Gemini's generateContent URL of `model`; a model that stands in `endpoint` is replaced by it.

    `stream`: its streamGenerateContent URL, whose answer comes as events.
    """
    collection, _, name = model.rpartition("/")
    if collection not in ("models", "tunedModels"):
        collection, name = "models", model
    parts = _generate_base(endpoint)
    method = "streamGenerateContent" if stream else "generateContent"
    path = f"{parts.path}/{collection}/{quote(name, safe='', errors='replace')}:{method}"
    query = "&".join(part for part in (parts.query, "alt=sse") if part) if stream else parts.query
    return parts._replace(path=path, query=query).geturl()


def batch_embed_url(endpoint: str, model: str) -> str:
    """Gemini's batchEmbedContents URL of `model`, as `generate_url`."""
    base, _, rest = generate_url(endpoint, model).rpartition(":generateContent")
    return f"{base}:batchEmbedContents{rest}"


def generate_models_url(endpoint: str) -> str:
    """The URL of Gemini's list of models; a model that stands in `endpoint` is left out."""
    parts = _generate_base(endpoint)
    return parts._replace(path=f"{parts.path}/models").geturl()


def _generate_base(endpoint: str) -> SplitResult:
    """The endpoint up to its collection of models, with a query that says nothing of an answer's form."""
    parts = split_endpoint(endpoint)
    base, _, _ = parts.path.partition("/models/")
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key != "alt"])
    return parts._replace(path=base.removesuffix("/models") or "/v1beta", query=query)
