"""What routing needs to know of a request body, read once and cheaply. Does not validate the body."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from routing import preferences
from routing.job import ServiceTier
from routing.parameters import questionable
from routing.preferences import Preferences
from routing.speed import USUAL_TOKENS

# English text and code run near four characters to a token; other scripts have fewer, so this is a low estimate.
_CHARACTERS_PER_TOKEN = 4
# What vendors count for a picture of usual size, rounded.
_TOKENS_PER_IMAGE = 800
# Role and separators of one message.
_TOKENS_PER_MESSAGE = 4
# What a request for vectors needs of a deployment.
EMBEDDINGS = "embeddings"
# A vendor's own Responses endpoint, as providers.json lists it.
RESPONSES = "responses"
_CHAT_ONLY = frozenset({"chat"})
_EMBEDDINGS_ONLY = frozenset({EMBEDDINGS})
_RESPONSES_ONLY = frozenset({RESPONSES})
_EITHER = _CHAT_ONLY | _RESPONSES_ONLY


@dataclass(frozen=True, slots=True)
class RoutingRequest:
    """A request as routing sees it. `prompt_tokens` is an estimate; `models` are tried in order after `model`."""

    model: str
    models: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    prompt_tokens: int = 0
    max_tokens: int | None = None
    policy: str | None = None
    preferences: Preferences = preferences.NONE
    # Parameters asked for that some dialect does not honour; only read where the caller requires them honoured.
    parameters: frozenset[str] = frozenset()
    # The step of its service tier in a provider's queue.
    priority: int = ServiceTier.DEFAULT.priority
    # What must fit a context at once; None: the prompt and its answer.
    context_tokens: int | None = None
    # Whether it may be sent to a Responses endpoint as well, and the field that only such an endpoint has words for.
    responds: bool = False
    responses_field: str = ""

    @property
    def embeds(self) -> bool:
        """Whether vectors are asked for, and not an answer in words."""
        return EMBEDDINGS in self.needs

    @property
    def endpoints(self) -> frozenset[str]:
        """What it may be sent as; a deployment must serve one of them."""
        if self.embeds:
            return _EMBEDDINGS_ONLY
        if self.responses_field:
            return _RESPONSES_ONLY
        return _EITHER if self.responds else _CHAT_ONLY

    @property
    def completion_tokens(self) -> int:
        """How many tokens the answer is taken to have."""
        return USUAL_TOKENS if self.max_tokens is None else min(USUAL_TOKENS, self.max_tokens)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The model and its fallbacks, each once, in the caller's order, without `:nitro` and `:floor`."""
        if not self.models:
            return (preferences.without_suffix(self.model),)
        return tuple(dict.fromkeys(map(preferences.without_suffix, (self.model, *self.models))))

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "RoutingRequest":
        """Read a chat request that the front end has validated; parts it does not know count for nothing.

        Without `model`, the first of `models` is the model.
        """
        tokens, has_image = _messages(body.get("messages"))
        needs = {"vision"} if has_image else set()
        if tools := body.get("tools") or body.get("functions"):
            needs.add("tools")
            tokens += len(repr(tools)) // _CHARACTERS_PER_TOKEN
        response_format = body.get("response_format")
        if isinstance(response_format, Mapping) and response_format.get("type") == "json_schema":
            needs.add("json_schema")
        max_tokens = body.get("max_completion_tokens") or body.get("max_tokens")
        model, models = _models(body)
        wishes = Preferences.from_body(body, (model, *models))
        return cls(
            model=model,
            models=models,
            needs=frozenset(needs),
            prompt_tokens=tokens,
            max_tokens=max_tokens if isinstance(max_tokens, int) else None,
            policy=body.get("routing_policy"),
            preferences=wishes,
            parameters=questionable(body) if wishes.require_parameters else frozenset(),
            priority=_priority(body.get("service_tier")),
        )

    @classmethod
    def from_embeddings(cls, body: Mapping[str, Any]) -> "RoutingRequest":
        """Read an embeddings request that the front end has validated: its answer has no tokens."""
        counts = input_tokens(body.get("input"))
        model, models = _models(body)
        return cls(
            model=model,
            models=models,
            needs=frozenset({EMBEDDINGS}),
            prompt_tokens=sum(counts),
            max_tokens=0,
            policy=body.get("routing_policy"),
            preferences=Preferences.from_body(body, (model, *models)),
            priority=_priority(body.get("service_tier")),
            # Each input is read by itself.
            context_tokens=max(counts, default=0),
        )


def input_tokens(given: Any) -> list[int]:
    """The tokens of each input of an embeddings request: counted where they are tokens, else an estimate from 1."""
    if isinstance(given, str):
        return [len(given) // _CHARACTERS_PER_TOKEN + 1]
    if not isinstance(given, list) or not given:
        return []
    if isinstance(given[0], int):
        return [len(given)]
    return [
        len(item) // _CHARACTERS_PER_TOKEN + 1 if isinstance(item, str) else len(item)
        for item in given
        if isinstance(item, str | list)
    ]


def _models(body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    listed = body.get("models")
    models = tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list | tuple) else ()
    return body.get("model") or (models[0] if models else ""), models


def _priority(tier: Any) -> int:
    """The step of a service tier; `auto`, and what is none, are the default."""
    return ServiceTier(tier).priority if tier in tuple(ServiceTier) else ServiceTier.DEFAULT.priority


def _messages(messages: Any) -> tuple[int, bool]:
    """Estimated tokens of the messages, and whether a picture is among them."""
    characters, images, count = 0, 0, 0
    for message in messages if isinstance(messages, list) else ():
        count += 1
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str):
            characters += len(content)
        elif isinstance(content, list):
            more, pictures = _parts(content)
            characters += more
            images += pictures
    tokens = characters // _CHARACTERS_PER_TOKEN + images * _TOKENS_PER_IMAGE + count * _TOKENS_PER_MESSAGE
    return tokens, images > 0


def _parts(parts: Iterable[Any]) -> tuple[int, int]:
    characters, images = 0, 0
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        if part.get("type") == "image_url":
            images += 1
        elif isinstance(text := part.get("text"), str):
            characters += len(text)
    return characters, images
