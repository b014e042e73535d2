"""Plans of tenants that brought their own provider keys: their accounts count for them, and nobody else's do."""

from random import Random

import pytest

from config.configuration import Configuration
from config.own_key import OwnKey
from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import ProviderConfig, ProviderModel
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.check import Check, CheckStatus
from routing.errors import NoCandidates
from routing.permits import Permits
from routing.planner import plan
from routing.request import RoutingRequest
from routing.snapshot import Snapshot

NOW = 1_700_000_000.0
POLICY = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9, max_latency_s=2.0)
REQUEST = RoutingRequest.from_body({"model": "any", "messages": [{"role": "user", "content": "hello"}]})
SHUT = Permits(gate_s=NOW + 60)


def row(name, **changes):
    fields = {"type": "openai", "endpoint": "https://example.invalid/v1", "models": {"m": ProviderModel()}}
    return ProviderConfig(name, **{**fields, "usable": True, **changes})


def tenant(**keys):
    return Tenant("acme", providers=frozenset({"a", "b"}), own_keys=keys)


def first_places(who, snapshot, rows=()):
    """Who comes first in many plans."""
    providers = {found.name: found for found in rows or (row("a"), row("b"))}
    aliases = {"any": tuple(f"{name}/m" for name in providers)}
    known = Catalogue.build(Configuration(providers, aliases, {}, {}, sandbox=False))
    plans = [plan(REQUEST, who, POLICY, known, snapshot, NOW, Random(seed)) for seed in range(40)]
    return {made.candidates[0].deployment.provider for made in plans}


def snapshot(**changes):
    return Snapshot({}, NOW, **changes)


def test_a_provider_without_a_shared_key_serves_who_brought_one():
    """And nobody else."""
    bare = row("a", usable=False, unusable_reason="no key: A_KEY is not set")
    assert first_places(tenant(a=OwnKey(version=1)), snapshot(), [bare]) == {"a"}
    with pytest.raises(NoCandidates, match="a/m: no key: A_KEY is not set"):
        first_places(tenant(), snapshot(), [bare])


@pytest.mark.parametrize("changes", [{"enabled": False}, {"sandboxed": True}, {"keyless": True}])
def test_a_key_is_of_no_use_where_none_is_sent(changes):
    """A disabled provider is not called, and neither the sandbox nor a server without keys is given one."""
    out = row("a", usable=False, unusable_reason="not to be called", **changes)
    with pytest.raises(NoCandidates, match="not to be called"):
        first_places(tenant(a=OwnKey(version=1)), snapshot(), [out])


def test_a_key_that_is_not_there_is_not_made_up_for_by_the_shared_one():
    """The tenant's calls are never paid by somebody else's account unasked."""
    with pytest.raises(NoCandidates, match="a/m: no key: ACME_KEY is not set"):
        first_places(tenant(a=OwnKey(unusable_reason="no key: ACME_KEY is not set")), snapshot(), [row("a")])


def test_limits_of_the_shared_account_are_nothing_to_who_has_a_key():
    """Others go elsewhere while it is shut."""
    shut = snapshot(permits={"a/m": SHUT})
    assert first_places(tenant(), shut) == {"b"}
    assert first_places(tenant(a=OwnKey(version=1)), shut) == {"a", "b"}


def test_limits_of_the_tenants_own_account_hold_for_it_alone():
    """While its key is at its limit it goes elsewhere first."""
    shut = snapshot(permits={"acme@a/m": SHUT})
    assert first_places(tenant(a=OwnKey(version=1)), shut) == {"b"}
    assert first_places(tenant(), shut) == {"a", "b"}


@pytest.mark.parametrize(
    ("status", "with_a_key"), [(CheckStatus.MISCONFIGURED, {"a", "b"}), (CheckStatus.FAILED, {"b"})]
)
def test_a_refused_shared_key_says_nothing_of_the_tenants(status, with_a_key):
    """An account that cannot be reached does."""
    checked = snapshot(checks={"a": Check(status, NOW - 1, 5.0, 3, "no")})
    assert first_places(tenant(), checked) == {"b"}
    assert first_places(tenant(a=OwnKey(version=1)), checked) == with_a_key
