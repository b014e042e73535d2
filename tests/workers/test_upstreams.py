"""The accounts a process can call: with which keys, and when they are made anew."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from config.configuration import Configuration, ConfigurationError
from config.provider import ProviderConfig, ProviderKey
from workers.upstreams import Upstreams

ROW = ProviderConfig("groq", "groq", "https://groq.example/v1", usable=True)
GOOD, OTHER, BAD = ProviderKey("A_KEY", "one"), ProviderKey("B_KEY", "two"), ProviderKey("C_KEY", "canary\t3")


@pytest.fixture
def rows():
    return {"groq": ROW}


@pytest.fixture
def upstreams(rows):
    return Upstreams(lambda: Configuration(rows, {}, {}, {}, sandbox=False))


def sent(keys):
    return [(upstream.key, upstream.adapter.account.api_key) for upstream in keys.keys]


def test_each_key_has_its_adapter_and_all_share_connections(rows, upstreams):
    """By the variable that it is called in logs."""
    rows["groq"] = replace(ROW, keys=(GOOD, OTHER))
    keys = upstreams.get("groq")
    assert sent(keys) == [("A_KEY", "one"), ("B_KEY", "two")]
    assert len({id(upstream.http) for upstream in keys.keys}) == 1


def test_a_server_without_keys_is_sent_none_and_the_sandbox_no_real_one(rows, upstreams):
    """Whatever stands in the environment."""
    assert sent(upstreams.get("groq")) == [("", None)]
    rows["groq"] = replace(ROW, sandboxed=True, keys=(GOOD,))
    assert sent(upstreams.get("groq")) == [("", "sandbox")]


def test_a_rotated_key_is_used_at_once_on_the_same_connections(rows, upstreams):
    """A reload that says the same changes nothing."""
    rows["groq"] = replace(ROW, keys=(GOOD,))
    before = upstreams.get("groq")
    rows["groq"] = replace(ROW, keys=(GOOD,))
    assert upstreams.get("groq") is before
    rows["groq"] = replace(ROW, keys=(replace(GOOD, secret="new"),))
    after = upstreams.get("groq")
    assert sent(after) == [("A_KEY", "new")]
    assert after.first.http is before.first.http


def test_a_key_that_cannot_be_sent_is_left_out(rows, upstreams):
    """Told by its variable; only where no other is left the account cannot be called."""
    rows["groq"] = replace(ROW, keys=(BAD, GOOD))
    with capture_logs() as logs:
        assert sent(upstreams.get("groq")) == [("A_KEY", "one")]
    assert [(entry["event"], entry["key"]) for entry in logs] == [("provider.key_unusable", "C_KEY")]
    rows["groq"] = replace(ROW, keys=(BAD,))
    with pytest.raises(ConfigurationError) as caught:
        upstreams.get("groq")
    assert "canary" not in f"{caught.value} {logs}"
