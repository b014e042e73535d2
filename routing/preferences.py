"""What a caller wishes of providers: OpenRouter's `provider` object and model suffixes, read once. Pure.

Source: openrouter.ai/docs/guides/routing/provider-selection. docs/routing.md says where we differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from routing.catalogue import Deployment
from routing.parameters import not_honoured
from routing.prices import rates_at
from routing.speed import Speed


class Sort(StrEnum):
    """What alone orders candidates when a caller says so."""

    PRICE = "price"
    THROUGHPUT = "throughput"
    LATENCY = "latency"


_SUFFIXES = {":nitro": Sort.THROUGHPUT, ":floor": Sort.PRICE}
_ENDINGS = tuple(_SUFFIXES)
_SUFFIX_LENGTH = 6
# OpenRouter's percentiles as shares of the calls that do at least as well; a bare number is a p50.
PERCENTILES = {"p50": 0.50, "p75": 0.75, "p90": 0.90, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Preferences:
    """One request's wishes. Names are lower case: a provider's, or "provider/model" for one deployment of it."""

    order: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    allow_fallbacks: bool = True
    require_parameters: bool = False
    # Whether deployments that collect data, or do not say, are left out.
    deny_data_collection: bool = False
    sort: Sort | None = None
    # Sort over all models of the request instead of within each.
    sort_across_models: bool = False
    # USD per million tokens.
    max_prompt_price: Decimal | None = None
    max_completion_price: Decimal | None = None
    # A ceiling was given: an unknown price is not within any.
    has_max_price: bool = False
    # Bounds that one who does well keeps, each with the share of calls that must: ms to the first token, tokens per s.
    preferred_max_latency_ms: tuple[tuple[float, float], ...] = ()
    preferred_min_throughput: tuple[tuple[float, float], ...] = ()

    @classmethod
    def from_body(cls, body: Mapping[str, Any], models: Iterable[str]) -> "Preferences":
        """The wishes in a body the front end has validated; parts it does not know count for nothing.

        `models` are the names asked for: the first suffix among them sorts, unless `provider.sort` says otherwise.
        """
        suffix: Sort | None = None
        for name in models:
            if suffix is None and name.endswith(_ENDINGS):
                suffix = _SUFFIXES[name[-_SUFFIX_LENGTH:]]
        wishes = body.get("provider")
        if not isinstance(wishes, Mapping) or not wishes:
            return NONE if suffix is None else cls(sort=suffix)
        sort = wishes.get("sort")
        detail = sort if isinstance(sort, Mapping) else {"by": sort}
        prices = wishes.get("max_price")
        prices = prices if isinstance(prices, Mapping) else {}
        return cls(
            order=tuple(dict.fromkeys(_names(wishes.get("order")))),
            only=frozenset(_names(wishes.get("only"))),
            ignore=frozenset(_names(wishes.get("ignore"))),
            allow_fallbacks=wishes.get("allow_fallbacks") is not False,
            require_parameters=wishes.get("require_parameters") is True,
            deny_data_collection=wishes.get("data_collection") == "deny",
            sort=_sort(detail.get("by")) or suffix,
            sort_across_models=detail.get("partition") == "none",
            max_prompt_price=_amount(prices.get("prompt")),
            max_completion_price=_amount(prices.get("completion")),
            has_max_price=any(amount is not None for amount in prices.values()),
            preferred_max_latency_ms=tuple(
                (share, bound * 1000) for share, bound in _cutoffs(wishes.get("preferred_max_latency"))
            ),
            preferred_min_throughput=_cutoffs(wishes.get("preferred_min_throughput")),
        )

    def obstacle(
        self, deployment: Deployment, needs: frozenset[str], parameters: frozenset[str], prompt_tokens: int
    ) -> str | None:
        """Why these wishes leave `deployment` out; None where they do not.

        `needs` are the capabilities the request needs, `parameters` those it asks for that some dialect ignores.
        """
        names = (deployment.provider.lower(), deployment.id.lower())
        if self.only and self.only.isdisjoint(names):
            return "not in provider.only"
        if not self.ignore.isdisjoint(names):
            return "in provider.ignore"
        if not self.allow_fallbacks and self.order and not any(name in self.order for name in names):
            return "not in provider.order, and provider.allow_fallbacks is false"
        if self.deny_data_collection and deployment.collects_data is not False:
            word = "collects data" if deployment.collects_data else "does not say whether it collects data"
            return f"{word}, and provider.data_collection is deny"
        if self.require_parameters and (reason := _unmet(deployment, needs, parameters)):
            return reason
        return self._too_dear(deployment, prompt_tokens) if self.has_max_price else None

    def place(self, deployment: Deployment) -> int | None:
        """The deployment's place in `order`; None where it is not listed."""
        for place, name in enumerate(self.order):
            if name in (deployment.provider.lower(), deployment.id.lower()):
                return place
        return None

    def falls_short(self, speed: Speed, wait_ms: float) -> bool:
        """Whether what is known of a deployment misses a preferred bound; what is not known misses none.

        Latency is the time to the first token, and the wait in the queue before it.
        """
        if not speed.known:
            return False
        return any(
            speed.percentile_ms(0, share) + wait_ms > slowest_ms for share, slowest_ms in self.preferred_max_latency_ms
        ) or any(speed.throughput(share) < least for share, least in self.preferred_min_throughput)

    def _too_dear(self, deployment: Deployment, prompt_tokens: int) -> str | None:
        if deployment.price is None:
            return "its price is not known, and provider.max_price is set"
        rates = rates_at(deployment.price, prompt_tokens)
        bounds = (
            ("prompt", rates.input, self.max_prompt_price),
            ("completion", rates.output, self.max_completion_price),
        )
        for name, rate, bound in bounds:
            if bound is not None and rate > bound:
                return f"{name} price of {rate:f} USD per million tokens is over provider.max_price.{name} ({bound:f})"
        return None


NONE = Preferences()


def without_suffix(model: str) -> str:
    """A model's name without `:nitro` or `:floor`."""
    return model[:-_SUFFIX_LENGTH] if model.endswith(_ENDINGS) else model


def _unmet(deployment: Deployment, needs: frozenset[str], parameters: frozenset[str]) -> str | None:
    """What require_parameters misses: a capability that is not stated, or a parameter the dialect leaves out."""
    unstated = needs - deployment.endpoints
    if unstated and deployment.capabilities is None:
        return f"does not state {', '.join(sorted(unstated))}, and provider.require_parameters is true"
    if missed := not_honoured(deployment.dialect, parameters):
        return f"does not honour {', '.join(sorted(missed))}, and provider.require_parameters is true"
    return None


def _names(value: Any) -> list[str]:
    return [name.lower() for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _sort(value: Any) -> Sort | None:
    return Sort(value) if isinstance(value, str) and value in tuple(Sort) else None


def _amount(value: Any) -> Decimal | None:
    """A price as OpenRouter's clients write it: a number, or one in a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() else None


def _cutoffs(value: Any) -> tuple[tuple[float, float], ...]:
    """OpenRouter's thresholds as (share of the calls, bound); those that are no number count for nothing."""
    bounds = value if isinstance(value, Mapping) else {"p50": value}
    known = ((share, _number(bounds.get(name))) for name, share in PERCENTILES.items())
    return tuple((share, bound) for share, bound in known if bound is not None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
