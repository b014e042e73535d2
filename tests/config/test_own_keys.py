"""Tenants' own keys in their files: how they are named, found, and what they change of the configuration."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from config.configuration import ConfigurationError
from config.loader import load
from config.settings import SettingError, Settings

TENANT = "tenants/enterprise.json"


@pytest.fixture
def named(edit):
    """The enterprise tenant names a key of its own for groq."""
    edit(TENANT, "providers.keys", {"groq": {"api_key_env": "ENTERPRISE_KEY"}})


def own(configuration):
    return configuration.tenants["enterprise"].own_keys["groq"]


@pytest.mark.usefixtures("named")
def test_a_tenants_key_is_in_the_variable_that_its_file_names(settings, tmp_path):
    """Or in that variable's file; it is in nothing that is printed."""
    file = tmp_path / "key"
    file.write_text("canary\n")
    for environ in ({"ENTERPRISE_KEY": "canary"}, {"ENTERPRISE_KEY_FILE": str(file)}):
        loaded = load(settings, environ)
        assert (own(loaded).secret, own(loaded).version, own(loaded).unusable_reason) == ("canary", 0, None)
        assert "canary" not in repr(loaded)


@pytest.mark.usefixtures("named")
def test_a_tenants_key_ends_the_sandbox(settings):
    """The provider is real, without a shared key, and waits for its calls; another that has no key does not."""
    loaded = load(settings, {"ENTERPRISE_KEY": "x"})
    assert not loaded.sandbox
    groq, gemini = loaded.providers["groq"], loaded.providers["google-gemini"]
    assert (groq.usable, groq.takes_own_keys, groq.is_called) == (False, True, True)
    assert groq.endpoint.startswith("https://api.groq.com/")
    assert not gemini.is_called


@pytest.mark.usefixtures("named")
def test_a_key_that_is_not_set_is_told(settings):
    """The tenant has no use of the provider then; in the sandbox it needs none."""
    loaded = load(settings, {"GOOGLE_API_KEY": "x"})
    assert own(loaded).unusable_reason == "no key: ENTERPRISE_KEY is not set"
    assert load(settings, {}).tenants["enterprise"].own_keys == {}


def test_an_encryption_key_ends_the_sandbox(settings):
    """Where tenants may store keys, calls without one are refused and not made up."""
    loaded = load(replace(settings, encryption_keys=(Fernet.generate_key().decode(),)), {})
    assert not loaded.sandbox
    assert all(provider.takes_own_keys and not provider.usable for provider in loaded.providers.values())


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"hugging-face": {"api_key_env": "K"}}, "providers.keys.hugging-face: expected one of providers.enabled"),
        ({"groq": {}}, "providers.keys.groq.api_key_env: missing"),
        ({"groq": {"api_key_env": "gsk canary"}}, "providers.keys.groq.api_key_env: expected the name"),
        ({"groq": {"api_key": "canary"}}, "providers.keys.groq.api_key: unknown field"),
        ({"groq": {"api_key_env": "K", "fallback_to_shared": 1}}, "providers.keys.groq.fallback_to_shared: expected"),
        (["groq"], "providers.keys: expected an object"),
    ],
)
def test_what_names_no_key_is_refused_with_its_place(settings, edit, keys, told):
    """And what stands there in its place, which may be a key, is not quoted."""
    edit(TENANT, "providers.keys", keys)
    with pytest.raises(ConfigurationError) as caught:
        load(settings, {"GROQ_API_KEY": "x"})
    assert told in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.usefixtures("named")
def test_a_server_without_keys_takes_none(settings, edit):
    """A key for it would never be sent."""
    edit("providers.json", "groq.api_key_env", None)
    with pytest.raises(ConfigurationError, match=r"providers.keys.groq: expected no key"):
        load(settings, {"ENTERPRISE_KEY": "x"})


def test_encryption_keys_are_checked_and_never_quoted(tmp_path):
    """One or several between commas, from the variable or its file."""
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    file = tmp_path / "keys"
    file.write_text(f"{first}, {second}\n")
    settings = Settings.from_environment({"MODEL_ROUTER_ENCRYPTION_KEY_FILE": str(file)})
    assert settings.encryption_keys == (first, second)
    assert first not in repr(settings)
    for wrong in ("canary", f"{first}canary", f"{first};{second}"):
        with pytest.raises(SettingError, match="MODEL_ROUTER_ENCRYPTION_KEY must be") as caught:
            Settings.from_environment({"MODEL_ROUTER_ENCRYPTION_KEY": wrong})
        assert wrong not in str(caught.value)
