"""Which deployments a name stands for."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.configuration import Configuration
from config.provider import ProviderConfig, ProviderModel
from routing.catalogue import Catalogue
from routing.errors import ModelNotFound

GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-1.5-flash-latest:generateContent"


def provider(name, *models, dialect="openai", **fields):
    """A usable provider with the given models, about which nothing is stated."""
    fields = {"usable": True, "endpoint": "https://example.invalid/v1", **fields}
    return ProviderConfig(name=name, type=dialect, models={model: ProviderModel() for model in models}, **fields)


PROVIDERS = {
    "groq": provider("groq", "openai/gpt-oss-20b", "shared", dialect="groq"),
    "other": provider("other", "shared"),
    "google-gemini": provider("google-gemini", dialect="google-gemini", endpoint=GEMINI),
    "off": provider("off", "sleeping", usable=False, unusable_reason="disabled"),
}
CONFIGURATION = Configuration(
    providers=PROVIDERS,
    aliases={"fast": ("groq/openai/gpt-oss-20b", "other/unlisted"), "shared": ("other/shared",)},
    policies={},
    tenants={},
    sandbox=False,
)
CATALOGUE = Catalogue.build(CONFIGURATION)


def ids(model):
    return [deployment.id for deployment in CATALOGUE.find(model)]


def test_names():
    """An alias goes before a model's own name; "provider/model" may be listed, unlisted or in an endpoint."""
    assert ids("fast") == ["groq/openai/gpt-oss-20b", "other/unlisted"]
    assert ids("shared") == ["other/shared"]
    assert ids("groq/shared") == ["groq/shared"]
    assert ids("openai/gpt-oss-20b") == ["groq/openai/gpt-oss-20b"]
    assert ids("gemini-1.5-flash-latest") == ["google-gemini/gemini-1.5-flash-latest"]
    assert ids("other/made/up") == ["other/made/up"]
    assert CATALOGUE.find("other/made/up")[0].price is None


def test_bare_name_finds_every_provider_of_the_model():
    """Without an alias a model's own name stands for all its deployments, in the operator's order."""
    catalogue = Catalogue.build(replace(CONFIGURATION, aliases={}))
    assert [deployment.id for deployment in catalogue.find("shared")] == ["groq/shared", "other/shared"]


def test_unusable_provider_keeps_its_reason():
    """A deployment of a provider that cannot be called says why, listed or not."""
    assert [CATALOGUE.find(model)[0].unusable_reason for model in ("sleeping", "off/new")] == ["disabled"] * 2
    assert CATALOGUE.find("shared")[0].unusable_reason is None


def test_unknown_model_names_the_nearest():
    """An unknown model is a 404 that names what is near."""
    with pytest.raises(ModelNotFound, match="did you mean openai/gpt-oss-20b") as caught:
        CATALOGUE.find("openai/gpt-oss-20")
    assert caught.value.body()["error"]["code"] == "model_not_found"
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    "model", ["", "groq/", "/", "groq/a b", "groq/../x", "groq/x\n", 'groq/"', "\ud800", "x" * 10**6]
)
def test_what_is_no_name_is_not_found(model):
    """Blank, odd and huge names are not found, in an error of one short printable line."""
    with pytest.raises(ModelNotFound) as caught:
        CATALOGUE.find(model)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@given(st.text(max_size=80))
def test_find_returns_or_says_not_found(model):
    """No name makes the catalogue fail in any other way."""
    with contextlib.suppress(ModelNotFound):
        assert CATALOGUE.find(model)


@pytest.mark.parametrize(
    ("row", "model", "lacking"),
    [
        (frozenset({"chat"}), None, frozenset()),
        (frozenset({"chat", "tools"}), None, frozenset({"vision"})),
        (frozenset({"chat"}), frozenset({"chat"}), frozenset({"vision", "tools"})),
        (frozenset({"chat", "tools"}), frozenset({"chat", "vision"}), frozenset({"tools"})),
    ],
)
def test_capabilities(row, model, lacking):
    """A model's own statement decides, then a row's; a row that only says "chat" states nothing of tools or images."""
    stated = replace(provider("p"), capabilities=row, models={"m": ProviderModel(capabilities=model)})
    catalogue = Catalogue.build(replace(CONFIGURATION, providers={"p": stated}, aliases={}))
    assert catalogue.find("m")[0].lacks(frozenset({"tools", "vision"})) == lacking


@pytest.mark.parametrize(
    ("row", "model", "endpoints"),
    [
        (frozenset({"chat"}), None, {"chat"}),
        (frozenset({"chat", "embeddings"}), None, {"chat", "embeddings"}),
        (frozenset({"embeddings", "vision"}), None, {"embeddings"}),
        (frozenset({"chat", "embeddings"}), frozenset({"embeddings"}), {"embeddings"}),
        (frozenset({"embeddings"}), frozenset({"chat", "tools"}), {"chat"}),
        (frozenset({"embeddings"}), frozenset({"tools"}), {"chat"}),
        (frozenset({"chat", "responses"}), None, {"chat", "responses"}),
        (frozenset({"chat"}), frozenset({"chat", "responses"}), {"chat", "responses"}),
        (frozenset({"chat", "responses"}), frozenset({"chat", "tools"}), {"chat"}),
        (frozenset({"chat"}), frozenset({"responses"}), {"responses"}),
    ],
)
def test_endpoints(row, model, endpoints):
    """What a deployment may be asked for is in its model's statement, else its row's; chat where neither is named."""
    stated = replace(provider("p"), capabilities=row, models={"m": ProviderModel(capabilities=model)})
    catalogue = Catalogue.build(replace(CONFIGURATION, providers={"p": stated}, aliases={}))
    assert catalogue.find("m")[0].endpoints == endpoints
