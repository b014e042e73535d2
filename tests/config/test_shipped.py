"""The files we ship: they load, and say what the documentation says."""

from config.loader import load
from config.provider import DIALECTS
from config.settings import Settings
from routing.catalogue import Catalogue
from workers.providers.registry import DIALECTS as ADAPTERS

ENABLED = {"groq", "google-gemini", "hugging-face", "anthropic"}
SHIPPED_OFF = {
    *("openai", "openrouter", "mistral", "deepseek", "together", "cerebras", "fireworks", "xai", "ollama", "vllm"),
}


def test_shipped_files_load_into_the_sandbox():
    """Without a key the shipped providers run in the sandbox; the others are there, switched off."""
    shipped = load(Settings(), {})
    assert shipped.sandbox
    assert {name for name, provider in shipped.providers.items() if provider.usable} == ENABLED
    assert {name for name, provider in shipped.providers.items() if not provider.enabled} == SHIPPED_OFF
    assert {name for name, provider in shipped.providers.items() if provider.keyless} == {"ollama", "vllm"}


def test_demo_keys():
    """The demo keys of the documentation are those of the shipped tenants."""
    tenants = load(Settings(), {}).tenants
    assert tenants["default"].api_keys == ("ak-demo123",)
    assert tenants["default"].providers == {"groq", "google-gemini", "hugging-face"}
    assert tenants["enterprise"].api_keys == ("ak-enterprise-demo",)


def test_every_shipped_model_has_a_price():
    """Each listed model has a price and a context length, so that cost is known out of the box."""
    catalogue = Catalogue.build(load(Settings(), {}))
    assert len(catalogue.deployments) > 20
    for deployment in catalogue.deployments.values():
        assert deployment.price is not None, deployment.id
        assert deployment.context_length, deployment.id


def test_the_loader_knows_the_adapters_dialects():
    """A type that the loader accepts has an adapter, and every adapter can be named."""
    assert set(DIALECTS) == set(ADAPTERS)
