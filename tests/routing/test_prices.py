"""Prices and what an answer costs."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.provider import Price, PriceTier, ProviderConfig, ProviderModel
from config.settings import PROJECT_ROOT
from routing.job import Usage
from routing.prices import cost_microusd, price_from_wire, price_of, price_to_wire

amounts = st.decimals(0, 1000, places=6)
tiers = st.builds(PriceTier, st.integers(1, 10**6), amounts, amounts, st.none() | amounts)
prices = st.builds(
    Price, amounts, amounts, st.none() | amounts, st.sampled_from(["config", "genai-prices"]), st.tuples(tiers)
)


def provider(name="groq", dialect="groq", **fields):
    return ProviderConfig(name=name, type=dialect, endpoint="https://example.invalid", **fields)


def test_row_goes_before_the_library():
    """The operator's price is taken before the library's."""
    own = Price(Decimal(9), Decimal(9))
    row = provider(models={"openai/gpt-oss-20b": ProviderModel(price=own)})
    assert price_of(row, "openai/gpt-oss-20b") is own


@pytest.mark.parametrize(
    ("name", "dialect", "model", "expected"),
    [
        ("groq", "groq", "openai/gpt-oss-120b", ("0.15", "0.6")),
        ("groq-eu", "groq", "openai/gpt-oss-120b", ("0.15", "0.6")),
        ("google-gemini", "google-gemini", "gemini-2.5-flash", ("0.3", "2.5")),
        ("anthropic", "anthropic", "claude-haiku-4-5", ("1", "5")),
        ("openai", "openai", "gpt-4o-mini", ("0.15", "0.6")),
        ("hugging-face", "hugging-face", "openai/gpt-oss-20b:groq", ("0.1", "0.5")),
    ],
)
def test_library_knows(name, dialect, model, expected):
    """The library's price is found by the account's name, by its dialect, or by the router's backend."""
    price = price_of(provider(name, dialect), model)
    assert (str(price.input), str(price.output)) == expected
    assert price.source == "genai-prices"


@pytest.mark.parametrize(
    ("name", "dialect", "model", "keyless"),
    [
        ("groq", "groq", "no-such-model", False),
        ("my-own", "openai", "gpt-4o-mini", False),
        ("hugging-face", "hugging-face", "openai/gpt-oss-20b", False),
        ("openai", "openai", "gpt-4o-mini", True),
    ],
)
def test_unknown_is_none_and_not_free(name, dialect, model, keyless):
    """What nobody knows the price of has none: an endpoint that only speaks OpenAI's dialect is not OpenAI."""
    assert price_of(provider(name, dialect, keyless=keyless), model) is None


def test_a_model_that_only_embeds_has_no_output_to_price():
    """The library has one price for it; it costs its input, and is unknown where it might do more than embed."""
    row = provider("openai", "openai")
    price = price_of(row, "text-embedding-3-small", embeds=True)
    assert (price.input, price.output) == (Decimal("0.02"), 0)
    assert cost_microusd(price, Usage(prompt_tokens=1_000_000)) == 20_000
    assert price_of(row, "text-embedding-3-small") is None
    assert price_of(row, "no-such-model", embeds=True) is None


def test_long_prompts_cost_more_where_the_vendor_says_so():
    """A prompt beyond a tier's threshold is priced at that tier, all of it."""
    price = price_of(provider("google-gemini", "google-gemini"), "gemini-2.5-pro")
    assert cost_microusd(price, Usage(prompt_tokens=200_000)) == 250_000
    assert cost_microusd(price, Usage(prompt_tokens=200_001)) == 500_002


def test_cached_tokens_are_priced_once():
    """Cached tokens are taken out of the prompt and priced at their own rate, or as input where it has none."""
    usage = Usage(prompt_tokens=1000, completion_tokens=10, cached_tokens=400)
    assert cost_microusd(Price(Decimal(3), Decimal(15), Decimal("0.3")), usage) == 600 * 3 + 120 + 150
    assert cost_microusd(Price(Decimal(3), Decimal(15)), usage) == 3000 + 150


def test_rounds_half_to_even():
    """Half a micro-dollar goes to the even neighbour."""
    price = Price(Decimal("0.5"), Decimal(0))
    assert [cost_microusd(price, Usage(prompt_tokens=tokens)) for tokens in (1, 3, 5)] == [0, 2, 2]


@given(prices, st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**7), st.integers(0, 10**6))
def test_cost_is_never_negative_nor_less_for_more_answer(price, prompt, completion, cached, more):
    """Whatever a provider reports, cost is at least 0 and does not fall when the answer grows."""
    cost = cost_microusd(price, Usage(prompt, completion, cached))
    assert 0 <= cost <= cost_microusd(price, Usage(prompt, completion + more, cached))


@given(prices)
def test_wire_form_round_trips(price):
    """A price survives JSON exactly."""
    assert price_from_wire(json.loads(json.dumps(price_to_wire(price)))) == price
    assert price_from_wire(price_to_wire(None)) is None


def test_library_is_imported_only_when_asked():
    """Importing the module does not load the price library."""
    program = "import sys, routing.prices; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, check=False).returncode == 0
