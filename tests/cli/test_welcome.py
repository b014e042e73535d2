"""What `up` prints of keys and addresses."""

import json
import shlex
from dataclasses import replace

import pytest

from cli.probe_key import probe_key
from cli.welcome import curl_line, mode_line, probe_model
from config.configuration import Configuration
from config.provider import ProviderConfig
from config.settings import Settings
from config.tenant import Tenant

ROW = ProviderConfig(name="groq", type="groq", endpoint="https://x", api_key_env="GROQ_API_KEY", usable=True)


def configuration(key="ak-demo123", *, sandbox=True):
    return Configuration(
        providers={"groq": ROW},
        aliases={"gpt-3.5-turbo": ("groq/a",)},
        policies={},
        tenants={
            "other": Tenant("other", api_keys=("ak-other",)),
            "default": Tenant("default", api_keys=(key, "ak-second")),
        },
        sandbox=sandbox,
    )


@pytest.mark.parametrize(
    ("key", "sandbox", "allowed", "shown"),
    [
        ("ak-demo123", True, False, "ak-demo123"),
        ("ak-demo123", False, True, "ak-demo123"),
        ("ak-demo123", False, False, "$MODEL_ROUTER_KEY"),
        ("ak-mine", True, False, "ak-mine"),
        ("ak-mine", False, False, "$MODEL_ROUTER_KEY"),
    ],
)
def test_the_curl_line_shows_only_a_demonstrations_key(key, sandbox, allowed, shown):
    """A key of the operator's own is left to a variable once real providers are in use."""
    words = shlex.split(curl_line(Settings(allow_demo_key=allowed), configuration(key, sandbox=sandbox)))
    assert words[:2] == ["curl", "http://127.0.0.1:3000/v1/chat/completions"]
    assert words[3] == f"Authorization: Bearer {shown}"
    assert json.loads(words[-1])["model"] == "gpt-3.5-turbo"


def test_an_open_address_is_shown_as_this_machine_reaches_it():
    """0.0.0.0 is where it listens, not where one connects."""
    assert "http://127.0.0.1:8080/" in curl_line(replace(Settings(), host="0.0.0.0", port=8080), configuration())
    assert "http://[::1]:3000/" in curl_line(replace(Settings(), host="::"), configuration())


def test_the_default_tenant_comes_first():
    """Its first key sends the first completion; without it, any active tenant's."""
    assert probe_key(configuration(), Settings()) == "ak-demo123"
    inactive = {"off": Tenant("off", api_keys=("a",), active=False), "on": Tenant("on", api_keys=("b",))}
    assert probe_key(replace(configuration(), tenants=inactive), Settings()) == "b"
    assert probe_key(replace(configuration(), tenants={}), Settings()) is None


def test_a_demo_key_that_does_not_work_is_not_tried():
    """Beside real providers another key of the tenant is, unless the operator allows the demo key."""
    real = configuration(sandbox=False)
    assert probe_key(real, Settings()) == "ak-second"
    assert probe_key(real, Settings(allow_demo_key=True)) == "ak-demo123"


def test_a_configuration_without_the_usual_model():
    """Another alias is asked for where the usual one is not configured."""
    assert probe_model(replace(configuration(), aliases={"fast": ("groq/a",)})) == "fast"


def test_the_sandbox_names_the_variables_that_end_it():
    """Whoever wants real answers reads which variable to set."""
    assert "GROQ_API_KEY" in mode_line(configuration())
    assert mode_line(configuration(sandbox=False)) == "Providers: groq"


def test_providers_that_wait_for_tenants_keys_are_named_apart():
    """Nobody is told that they answer everybody."""
    bare = replace(ROW, name="bare", usable=False, takes_own_keys=True)
    told = replace(configuration(sandbox=False), providers={"groq": ROW, "bare": bare})
    assert mode_line(told) == "Providers: groq; for tenants with keys of their own: bare"
    assert mode_line(replace(told, providers={"bare": bare})).startswith(
        "Providers: none with a shared key; for tenants"
    )
