"""What a model costs, from the operator's row or the price library, and what one answer cost. Asks no network."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from config.provider import Price, PriceTier, ProviderConfig
from routing.job import Usage

# Our account names and dialects -> the price library's ids, where they differ.
_LIBRARY_IDS = {"google-gemini": "google", "xai": "x-ai"}
# The dialect of any compatible endpoint says nothing of whose prices hold there.
_ANYONES = "openai"
# The library's binary fractions (1.0399999...) are cut to this.
_DIGITS = Decimal("0.000001")


def price_of(provider: ProviderConfig, model: str, *, embeds: bool = False) -> Price | None:
    """The price of `model` at `provider`: the row's own, else the price library's, else None (unknown, never free).

    The library's price is today's; one that changes with the time of day is taken as at noon, UTC. A model that
    `embeds`, and does nothing else, has no output that could cost.
    """
    row = provider.models.get(model)
    if row is not None and row.price is not None:
        return row.price
    if provider.keyless:
        return None
    return _library_price(provider.name, provider.type, model, datetime.now(UTC).date(), embeds=embeds)


def cost_microusd(price: Price, usage: Usage) -> int:
    """What an answer cost, in micro-dollars, rounded half to even.

    USD per million tokens is micro-dollars per token. Cached tokens are part of the prompt and are priced once: at
    `cached_input`, or as other input where that is unknown. Reasoning tokens are part of the completion.
    """
    rates = rates_at(price, usage.prompt_tokens)
    cached = min(max(usage.cached_tokens, 0), usage.prompt_tokens)
    cached_rate = rates.input if rates.cached_input is None else rates.cached_input
    total = (usage.prompt_tokens - cached) * rates.input + cached * cached_rate + usage.completion_tokens * rates.output
    return int(total.to_integral_value(ROUND_HALF_EVEN))


def price_to_wire(price: Price | None) -> list[Any] | None:
    """A price as a JSON-able list: input, output, cached input, source, tiers; amounts are strings."""
    if price is None:
        return None
    tiers = [[tier.above_tokens, *_amounts(tier)] for tier in price.tiers]
    return [*_amounts(price), price.source, tiers]


def price_from_wire(wire: Sequence[Any] | None) -> Price | None:
    """The inverse of `price_to_wire`."""
    if wire is None:
        return None
    tiers = tuple(PriceTier(start, *_decimals(amounts)) for start, *amounts in wire[4])
    return Price(*_decimals(wire[:3]), source=wire[3], tiers=tiers)


def _amounts(rates: Price | PriceTier) -> list[str | None]:
    return [str(rates.input), str(rates.output), None if rates.cached_input is None else str(rates.cached_input)]


def _decimals(amounts: Sequence[str | None]) -> tuple[Decimal, Decimal, Decimal | None]:
    paid, made, cached = amounts
    return Decimal(str(paid)), Decimal(str(made)), None if cached is None else Decimal(cached)


def rates_at(price: Price, prompt_tokens: int) -> Price | PriceTier:
    """What the tokens of a request with a prompt of this length cost, all of them."""
    reached = [tier for tier in price.tiers if prompt_tokens > tier.above_tokens]
    return reached[-1] if reached else price


@lru_cache(maxsize=4096)
def _library_price(name: str, dialect: str, model: str, day: date, *, embeds: bool) -> Price | None:
    """The library's price by the account's name, else by its dialect where only one vendor speaks that."""
    if dialect == "hugging-face":
        # The router's `model:backend` says who serves it; without one the router chooses, and the price is unknown.
        model, _, backend = model.rpartition(":")
        return _look_up(f"huggingface_{backend}", model, day, embeds=embeds) if model else None
    found = _look_up(_LIBRARY_IDS.get(name, name), model, day, embeds=embeds)
    if found is None and dialect not in (_ANYONES, name):
        found = _look_up(_LIBRARY_IDS.get(dialect, dialect), model, day, embeds=embeds)
    return found


def _look_up(library_id: str, model: str, day: date, *, embeds: bool) -> Price | None:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 0.2 s and 30 MiB, paid where it is first used

    vendors = get_snapshot().providers
    vendor = next((vendor for vendor in vendors if vendor.id == library_id), None)
    found = vendor and vendor.find_model(model, all_providers=vendors)
    if not found:
        return None
    prices = found.get_prices(datetime.combine(day, time(12), UTC))
    made = 0 if embeds and prices.output_mtok is None else prices.output_mtok
    return _price(prices.input_mtok, made, prices.cache_read_mtok)


def _price(paid: Any, made: Any, cached: Any) -> Price | None:
    """The library's three rates, each one amount or tiered, as one Price; None unless both directions have one."""
    if paid is None or made is None:
        return None
    starts = sorted({tier.start for rate in (paid, made, cached) for tier in getattr(rate, "tiers", ())})
    tiers = tuple(
        PriceTier(start, _at(paid, start) or Decimal(0), _at(made, start) or Decimal(0), _at(cached, start))
        for start in starts
    )
    return Price(_at(paid) or Decimal(0), _at(made) or Decimal(0), _at(cached), source="genai-prices", tiers=tiers)


def _at(rate: Any, start: int = -1) -> Decimal | None:
    if rate is None:
        return None
    amount = getattr(rate, "base", rate)
    for tier in getattr(rate, "tiers", ()):
        if tier.start <= start:
            amount = tier.price
    # Normalised without an exponent: 10, not 1E+1.
    return Decimal(f"{Decimal(amount).quantize(_DIGITS).normalize():f}")
