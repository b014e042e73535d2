"""Which deployments a model's name stands for. Built once per configuration; looks nothing up outside it."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.configuration import Configuration
from config.provider import MODEL_NAME, Price, ProviderConfig
from routing.errors import ModelNotFound
from routing.prices import price_of, price_to_wire

# Gemini's own endpoints may name the model: `.../models/gemini-2.5-flash:generateContent`.
_MODEL_IN_ENDPOINT = re.compile(r"/models/([^/:?]+):\w+")
# A row that lists only these says what kind of API it has, and nothing of tools, images or schemas.
_KINDS = frozenset({"chat", "completions", "embeddings", "responses"})
# What a deployment may be asked for; a row that names none of them has chat.
_ENDPOINTS = frozenset({"chat", "embeddings", "responses"})
_USUAL = frozenset({"chat", "embeddings"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model at a provider. `capabilities` None: not stated, and so not held against it."""

    provider: str
    model: str
    price: Price | None = None
    context_length: int | None = None
    capabilities: frozenset[str] | None = None
    # Why its provider cannot be called; None where it can.
    unusable_reason: str | None = None
    # Whether a tenant's own key goes before that.
    takes_own_keys: bool = field(default=False, compare=False)
    # What its provider's row says; none of it travels with a plan, as no worker asks.
    dialect: str = field(default="", compare=False)
    collects_data: bool | None = field(default=None, compare=False)
    endpoints: frozenset[str] = field(default=_USUAL, compare=False)
    id: str = field(init=False, compare=False)
    # Micro-dollars per token, and the price in its wire form: constants of every plan.
    input_rate: float | None = field(init=False, compare=False, repr=False)
    output_rate: float | None = field(init=False, compare=False, repr=False)
    # For long prompts, shortest first: above how many tokens, and the two rates there.
    tier_rates: tuple[tuple[int, float, float], ...] = field(init=False, compare=False, repr=False)
    price_wire: list[Any] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        price = self.price
        object.__setattr__(self, "id", f"{self.provider}/{self.model}")
        object.__setattr__(self, "input_rate", None if price is None else float(price.input))
        object.__setattr__(self, "output_rate", None if price is None else float(price.output))
        tiers = () if price is None else price.tiers
        rates = tuple((tier.above_tokens, float(tier.input), float(tier.output)) for tier in tiers)
        object.__setattr__(self, "tier_rates", rates)
        object.__setattr__(self, "price_wire", price_to_wire(price))

    def lacks(self, needs: frozenset[str]) -> frozenset[str]:
        """Which of `needs` it is known not to have."""
        return frozenset() if self.capabilities is None else needs - self.capabilities


# How the reasons begin that are not the deployment's: it could have served the request.
BREAKER_OPEN = "circuit breaker open"
NOT_FIRST = "not the first choice"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A deployment left out of a plan, and why."""

    provider: str
    model: str
    reason: str
    # The request's field that left it out.
    param: str = field(default="model", compare=False)

    @property
    def could_serve(self) -> bool:
        """Whether it was left out for the moment, or for another's sake, and not because it cannot serve."""
        return self.reason.startswith((BREAKER_OPEN, NOT_FIRST))

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}: {self.reason}"


class Catalogue:
    """The names a caller may ask for, and their deployments in the operator's order."""

    def __init__(
        self,
        providers: Mapping[str, ProviderConfig],
        deployments: Mapping[str, Deployment],
        aliases: Mapping[str, tuple[Deployment, ...]],
    ) -> None:
        self.deployments = deployments
        self.aliases = aliases
        self._providers = providers
        by_model: dict[str, tuple[Deployment, ...]] = {}
        for deployment in deployments.values():
            by_model[deployment.model] = (*by_model.get(deployment.model, ()), deployment)
        self._found: Mapping[str, tuple[Deployment, ...]] = {
            **by_model,
            **{name: (deployment,) for name, deployment in deployments.items()},
            **aliases,
        }

    @classmethod
    def build(cls, configuration: Configuration) -> "Catalogue":
        """The catalogue of a configuration: its listed models, and those its aliases and endpoints name."""
        providers = configuration.providers
        listed = [(name, model) for name, provider in providers.items() for model in _listed(provider)]
        for targets in configuration.aliases.values():
            listed += [(name, model) for name, _, model in (target.partition("/") for target in targets)]
        deployments = {f"{name}/{model}": _deployment(providers[name], model) for name, model in dict.fromkeys(listed)}
        aliases = {
            alias: tuple(deployments[target] for target in targets) for alias, targets in configuration.aliases.items()
        }
        return cls(providers, deployments, aliases)

    def find(self, model: str) -> tuple[Deployment, ...]:
        """The deployments `model` stands for: an alias, "provider/model", or a model's own name, in this order.

        "provider/model" may name a model no row lists, at a provider that is configured. Raises ModelNotFound,
        which names the nearest known names.
        """
        found = self._found.get(model)
        if found is not None:
            return found
        name, _, upstream = model.partition("/")
        provider = self._providers.get(name)
        if provider is not None and MODEL_NAME.fullmatch(upstream):
            return (_deployment(provider, upstream),)
        raise ModelNotFound(f"the model {_shown(model)} does not exist{self._nearest(model)}", param="model")

    def _nearest(self, model: str) -> str:
        near = difflib.get_close_matches(model[:200], self._found, n=3)
        return f"; did you mean {', '.join(near)}?" if near else "; GET /v1/models lists what does"


def _listed(provider: ProviderConfig) -> tuple[str, ...]:
    in_endpoint = _MODEL_IN_ENDPOINT.search(provider.endpoint)
    return (*provider.models, *(in_endpoint.groups() if in_endpoint else ()))


def _deployment(provider: ProviderConfig, model: str) -> Deployment:
    row = provider.models.get(model)
    capabilities = row.capabilities if row is not None else None
    endpoints = _ENDPOINTS & provider.capabilities_of(model) or frozenset({"chat"})
    if capabilities is None and not provider.capabilities <= _KINDS:
        capabilities = provider.capabilities
    return Deployment(
        provider=provider.name,
        model=model,
        price=price_of(provider, model, embeds=endpoints.isdisjoint({"chat", "responses"})),
        context_length=row.context_length if row is not None else None,
        capabilities=capabilities,
        takes_own_keys=provider.enabled and not provider.keyless and not provider.sandboxed,
        unusable_reason=None if provider.usable else provider.unusable_reason or "not usable",
        dialect=provider.type,
        collects_data=provider.collects_data,
        endpoints=endpoints,
    )


def _shown(model: str) -> str:
    """The name as an error may show it: ASCII, and not longer than a line."""
    return ascii(model if len(model) <= 100 else model[:100] + "...")
