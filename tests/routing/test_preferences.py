"""OpenRouter's request fields: what each leaves out, and what it puts first."""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.configuration import Configuration
from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import Price, PriceTier, ProviderConfig, ProviderModel
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.errors import NoCandidates
from routing.health import Health
from routing.plan import Plan
from routing.planner import plan
from routing.preferences import NONE, Preferences, Sort, without_suffix
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
NAMES = ("a", "b", "c", "d")
TENANT = Tenant("t", providers=frozenset(NAMES))
POLICY = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9, max_latency_s=2.0)


def row(name, price="1", output=None, *, dialect="openai", capabilities=("chat",), collects=None, tiers=()):
    price = None if price is None else Price(Decimal(price), Decimal(output or price), tiers=tiers)
    known = None if capabilities is None else frozenset(capabilities)
    return ProviderConfig(
        name=name,
        type=dialect,
        endpoint="https://example.invalid/v1",
        models={"m": ProviderModel(price, None, known)},
        collects_data=collects,
        usable=True,
    )


ROWS = tuple(row(name, price) for name, price in zip(NAMES, "1234", strict=True))


def planned(body=None, rows=ROWS, *, health=None, seed=1, tenant=TENANT, waits=None):
    """The plan of a chat body over rows that all serve the alias "any"."""
    aliases = {"any": tuple(f"{config.name}/m" for config in rows)}
    catalogue = Catalogue.build(Configuration({config.name: config for config in rows}, aliases, {}, {}, sandbox=False))
    snapshot = Snapshot({f"{name}/m": found for name, found in (health or {}).items()}, NOW, waits_ms=waits or {})
    request = RoutingRequest.from_body({"model": "any", **(body or {})})
    return plan(request, tenant, POLICY, catalogue, snapshot, NOW, Random(seed))


def wishing(rows=ROWS, *, health=None, **wishes):
    return planned({"provider": wishes}, rows, health=health)


def order(found):
    return [candidate.deployment.provider for candidate in found.candidates]


def reasons(found):
    return {left.provider: left.reason for left in found.exclusions}


def test_order_goes_first_and_the_others_follow():
    """Those listed are tried in the caller's order, then the rest by score; unknown names are skipped."""
    assert order(wishing(order=["d", "nobody", "b"])) == ["d", "b", "a", "c"]
    assert order(wishing(order=["D/m"]))[0] == "d"


def test_order_draws_no_lots():
    """Equals behind an order keep one place, whatever the seed."""
    rows = tuple(row(name) for name in NAMES)
    body = {"provider": {"order": ["c"]}}
    assert {tuple(order(planned(body, rows, seed=seed))) for seed in range(20)} == {("c", "a", "b", "d")}
    assert len({tuple(order(planned({}, rows, seed=seed))) for seed in range(20)}) > 1


def test_order_stands_above_policy_and_tenant():
    """A listed provider that is failing is still tried first: the caller said so. Those not listed keep the bounds."""
    failing = {"d": recorded(0, 20), "a": recorded(0, 20)}
    tenant = replace(TENANT, primary_provider="c")
    body = {"provider": {"order": ["d"]}}
    assert order(planned(body, health=failing, tenant=tenant)) == ["d", "c", "b", "a"]


def test_order_without_fallbacks_is_all_there_is():
    """With allow_fallbacks false nobody outside the order is a candidate, and the reason says so."""
    found = wishing(order=["c", "b"], allow_fallbacks=False)
    assert order(found) == ["c", "b"]
    assert reasons(found)["a"] == "not in provider.order, and provider.allow_fallbacks is false"


def test_no_fallbacks_leaves_the_first_choice():
    """Without an order, allow_fallbacks false leaves the best; the others are listed with the reason."""
    found = wishing(allow_fallbacks=False)
    assert order(found) == ["a"]
    assert set(reasons(found)) == {"b", "c", "d"}
    assert "allow_fallbacks" in reasons(found)["b"]


def test_only_and_ignore():
    """`only` narrows, `ignore` removes, and a deployment may be named instead of its provider."""
    assert set(order(wishing(only=["b", "c/m"]))) == {"b", "c"}
    found = wishing(ignore=["A", "c/m"])
    assert set(order(found)) == {"b", "d"}
    assert reasons(found) == {"a": "in provider.ignore", "c": "in provider.ignore"}


def test_nobody_left_is_a_400_that_lists_each_reason():
    """A preference that leaves nobody names `provider`, and each deployment with its reason."""
    with pytest.raises(NoCandidates) as caught:
        wishing(only=["a", "b"], max_price={"prompt": 0.5})
    assert caught.value.param == "provider"
    for part in (
        "a/m: prompt price of 1 USD per million tokens is over provider.max_price.prompt (0.5)",
        "c/m: not in provider.only",
    ):
        assert part in caught.value.message


def test_denied_data_collection_needs_a_word_from_the_operator():
    """Only rows that say they collect nothing are left; silence is not enough."""
    rows = (row("a", collects=True), row("b"), row("c", collects=False))
    found = wishing(rows, data_collection="deny")
    assert order(found) == ["c"]
    assert reasons(found) == {
        "a": "collects data, and provider.data_collection is deny",
        "b": "does not say whether it collects data, and provider.data_collection is deny",
    }
    assert len(order(wishing(rows, data_collection="allow"))) == 3


def test_max_price_holds_for_both_directions():
    """A dearer rate, in or out, and an unknown price are left out; the bound itself is within."""
    rows = (row("a", "0.3", "9"), row("b", "5", "1"), row("c", None), row("d", "0.3", "1.1"))
    found = wishing(rows, max_price={"prompt": 0.3, "completion": "1.1"})
    assert order(found) == ["d"]
    assert reasons(found)["a"].startswith("completion price of 9 ")
    assert reasons(found)["b"].startswith("prompt price of 5 ")
    assert reasons(found)["c"] == "its price is not known, and provider.max_price is set"


def test_max_price_is_held_against_the_rate_of_a_long_prompt():
    """A prompt beyond a price's threshold is judged by what it would really cost."""
    rows = (row("a", "1", tiers=(PriceTier(100, Decimal(4), Decimal(4)),)), row("b", "2"))
    wishes = {"max_price": {"prompt": 3}}
    assert set(order(planned({"provider": wishes}, rows))) == {"a", "b"}
    long = {"messages": [{"role": "user", "content": "x" * 1000}]}
    assert order(planned({"provider": wishes, **long}, rows)) == ["b"]


def test_require_parameters_by_dialect():
    """Who would drop or refuse a parameter that was asked for is left out; harmless values ask for nothing."""
    rows = (row("a"), row("b", dialect="groq"), row("c", dialect="anthropic"), row("d", dialect="hugging-face"))
    asked = {"provider": {"require_parameters": True}, "n": 2, "seed": 5}
    found = planned(asked, rows)
    assert set(order(found)) == {"a", "d"}
    assert reasons(found)["c"] == "does not honour n, seed, and provider.require_parameters is true"
    assert len(order(planned({**asked, "n": 1, "seed": None}, rows))) == 4
    assert len(order(planned({**asked, "provider": {}}, rows))) == 4


def test_require_parameters_by_capability():
    """A capability nobody stated is taken on trust, unless the caller requires it."""
    rows = (row("a", capabilities=None), row("b", capabilities=("chat", "tools")))
    body = {"tools": [{"type": "function", "function": {"name": "f"}}]}
    assert set(order(planned(body, rows))) == {"a", "b"}
    found = planned({**body, "provider": {"require_parameters": True}}, rows)
    assert order(found) == ["b"]
    assert reasons(found)["a"] == "does not state tools, and provider.require_parameters is true"


def test_sort_by_price_alone():
    """Price decides alone, every time, and an unknown one goes last: no turns, no bounds, no tenant preference."""
    rows = (row("a", None), row("b", "1.01"), row("c", "1"), row("d", "9"))
    health = {"c": recorded(0, 20)}
    tenant = replace(TENANT, primary_provider="d")
    body = {"provider": {"sort": "price"}}
    for seed in range(20):
        assert order(planned(body, rows, health=health, seed=seed, tenant=tenant)) == ["c", "b", "d", "a"]


def on_a_line(ttft_ms, ms_per_token):
    """Health after answers of many lengths, each as long as a line says."""
    found = Health()
    for length in range(10, 610, 10):
        found = found.after(True, ttft_ms + ms_per_token * length, length, NOW)  # noqa: FBT003
    return found


def test_sorts_by_speed():
    """`latency` is the time to the first token, `throughput` that of whole answers; the unmeasured go last."""
    health = {"a": on_a_line(1000, 2), "c": on_a_line(100, 20), "d": on_a_line(500, 9)}
    assert order(wishing(sort="latency", health=health)) == ["c", "d", "a", "b"]
    assert order(wishing(sort="throughput", health=health)) == ["a", "d", "c", "b"]


def test_a_sort_by_latency_counts_the_queue():
    """Who answers at once, after a minute in its queue, is not the fastest; its throughput is what it was."""
    health = {"a": recorded(ms=50), "b": recorded(ms=500)}
    waits = {"a": (60_000.0,) * 4}
    assert order(planned({"provider": {"sort": "latency"}}, health=health, waits=waits))[:2] == ["b", "a"]
    assert order(planned({"provider": {"sort": "throughput"}}, health=health, waits=waits))[:2] == ["a", "b"]


def test_sort_within_models_or_across():
    """The caller's first model stays first, unless the sort is to look at all of them together."""
    body = {"model": "d/m", "models": ["a/m"]}
    assert order(planned({**body, "provider": {"sort": {"by": "price"}}})) == ["d", "a"]
    assert order(planned({**body, "provider": {"sort": {"by": "price", "partition": "none"}}})) == ["a", "d"]


def test_preferred_latency_goes_last_and_excludes_nobody():
    """Who is known to be slower goes last, also where `order` lists it; the unmeasured stays where it was."""
    health = {"a": on_a_line(800, 2), "b": recorded(ms=100)}
    found = wishing(preferred_max_latency=0.5, health=health)
    assert order(found)[-1] == "a"
    assert len(order(found)) == 4
    assert order(wishing(preferred_max_latency={"p50": 0.5, "p99": 9}, order=["a"], health=health))[-1] == "a"
    assert order(wishing(preferred_max_latency={"p50": 1}, health=health))[-1] != "a"
    waits = {"a": (300.0,) * 4}
    assert order(planned({"provider": {"preferred_max_latency": 1}}, health=health, waits=waits))[-1] == "a"


def test_every_percentile_must_be_kept():
    """One bound that is missed is enough, and a high percentile asks for more than the median."""
    jumpy = Health()
    for turn in range(40):
        jumpy = jumpy.after(True, 500 + 1000 * (turn % 2), 256, NOW)  # noqa: FBT003
    health = {"a": jumpy}
    throughput = jumpy.speed.tokens_per_s
    for wish in (throughput * 0.99, {"p50": throughput * 0.99}):
        assert order(wishing(preferred_min_throughput=wish, health=health))[-1] != "a"
    for wish in (throughput * 1.01, {"p50": 1, "p90": throughput * 0.99}):
        assert order(wishing(preferred_min_throughput=wish, health=health))[-1] == "a"
    ttft_s = jumpy.speed.ttft_ms / 1000
    assert order(wishing(preferred_max_latency={"p50": ttft_s * 1.01}, health=health))[-1] != "a"
    assert order(wishing(preferred_max_latency={"p50": ttft_s * 1.01, "p99": ttft_s * 1.01}, health=health))[-1] == "a"


def test_a_preferred_bound_stands_above_the_models():
    """As at OpenRouter, a fallback model that keeps the bound goes before a first one that does not."""
    health = {"a": recorded(ms=900, tokens=10), "b": recorded(ms=100, tokens=10)}
    body = {"model": "a/m", "models": ["b/m"]}
    assert order(planned(body, health=health)) == ["a", "b"]
    assert order(planned({**body, "provider": {"preferred_max_latency": 0.5}}, health=health)) == ["b", "a"]


def test_an_unknown_speed_misses_no_bound():
    """Nobody is put back for a speed that is not known."""
    assert order(wishing(preferred_min_throughput=10**6, preferred_max_latency=1e-6)) == order(planned())


def test_suffixes_sort():
    """`:floor` is sort price and `:nitro` sort throughput, on any model; an explicit sort stands above them."""
    rows = (row("a", "9"), row("b", "1"))
    health = {"a": recorded(ms=10), "b": recorded(ms=500)}
    assert order(planned({"model": "any:floor"}, rows, health=health)) == ["b", "a"]
    assert order(planned({"model": "any:nitro"}, rows, health=health)) == ["a", "b"]
    body = {"model": None, "models": ["a/m", "any:floor"]}
    assert Preferences.from_body(body, body["models"]).sort is Sort.PRICE
    explicit = {"model": "any:floor", "provider": {"sort": "latency"}}
    assert order(planned(explicit, rows, health=health)) == ["a", "b"]
    assert without_suffix("openai/gpt:free") == "openai/gpt:free"


def test_nothing_asked_is_nothing_made():
    """A request without wishes shares the one empty value."""
    assert RoutingRequest.from_body({"model": "any", "provider": {}}).preferences is NONE
    assert RoutingRequest.from_body({"model": "any", "provider": None}).preferences is NONE


def test_exclusions_travel_with_the_plan():
    """A stored plan says who was left out and why, and is shown so."""
    found = wishing(ignore=["a"])
    back = Plan.from_wire(json.loads(json.dumps(found.to_wire())))
    assert back.exclusions == found.exclusions
    assert back.as_object() == found.as_object()
    assert back.as_object()["exclusions"] == [{"provider": "a", "model": "m", "reason": "in provider.ignore"}]


names = st.lists(st.sampled_from([*NAMES, "A", "b/m", "nobody"]), max_size=4)
wishes = st.fixed_dictionaries(
    {},
    optional={
        "order": names,
        "only": names,
        "ignore": names,
        "allow_fallbacks": st.booleans(),
        "require_parameters": st.booleans(),
        "data_collection": st.sampled_from(["allow", "deny"]),
        "sort": st.sampled_from(["price", "latency", "throughput", {"by": "price", "partition": "none"}]),
        "max_price": st.fixed_dictionaries({}, optional={"prompt": st.integers(0, 5), "completion": st.integers(0, 5)}),
        "preferred_max_latency": st.floats(0.01, 5),
        "preferred_min_throughput": st.floats(1, 500),
    },
)
worlds = st.lists(
    st.tuples(st.sampled_from(["1", "2", "4", None]), st.sampled_from([True, False, None]), st.integers(1, 5000)),
    min_size=4,
    max_size=4,
)


def names_of(listed, provider):
    return {provider, f"{provider}/m"} & {name.lower() for name in listed}


@given(wishes, worlds, st.integers(0, 2**32))
def test_every_wish_is_kept(wishes, world, seed):
    """Each deployment is candidate or excluded, never both, and no candidate breaks a wish; the seed decides alone."""
    rows = tuple(row(name, price, collects=says) for name, (price, says, _) in zip(NAMES, world, strict=True))
    health = {name: recorded(ms=ms) for name, (_, _, ms) in zip(NAMES, world, strict=True)}
    found, refusal = None, ""
    try:
        found = planned({"provider": wishes}, rows, health=health, seed=seed)
    except NoCandidates as refused:
        refusal = refused.message
    if found is None:
        assert all(f"{name}/m: " in refusal for name in NAMES)
        return
    assert found == planned({"provider": wishes}, rows, health=health, seed=seed)
    chosen = order(found)
    assert sorted([*chosen, *reasons(found)]) == list(NAMES)
    listed = wishes.get("order", [])
    if not wishes.get("allow_fallbacks", True):
        assert len(chosen) == 1 or all(names_of(listed, name) for name in chosen)
    by_name = {config.name: config for config in rows}
    for name in chosen:
        assert not wishes.get("only") or names_of(wishes["only"], name)
        assert not names_of(wishes.get("ignore", []), name)
        assert wishes.get("data_collection") != "deny" or by_name[name].collects_data is False
        price = by_name[name].models["m"].price
        for ceiling in wishes.get("max_price", {}).values():
            assert price is not None
            assert price.input <= ceiling
    tiers = [candidate.tier for candidate in found.candidates]
    assert tiers == sorted(tiers)


@given(wishes, worlds)
def test_a_sort_is_kept_within_each_tier(wishes, world):
    """Within a tier nobody stands before one that is better on the sorted axis alone."""
    rows = tuple(row(name, price) for name, (price, _, _) in zip(NAMES, world, strict=True))
    health = {name: recorded(ms=ms) for name, (_, _, ms) in zip(NAMES, world, strict=True)}
    # All answers are of one length: time to the first token and duration have one order.
    for sort, axis in (("price", "cost_microusd"), ("latency", "latency_ms"), ("throughput", "latency_ms")):
        try:
            found = planned({"provider": {**wishes, "sort": sort, "data_collection": "allow"}}, rows, health=health)
        except NoCandidates:
            continue
        for one, other in zip(found.candidates, found.candidates[1:], strict=False):
            amounts = [getattr(candidate, axis) for candidate in (one, other)]
            if one.tier == other.tier:
                assert amounts[1] is None or (amounts[0] is not None and amounts[0] <= amounts[1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "order",
    "only",
    "sort",
    "max_price",
    "preferred_max_latency",
    "preferred_min_throughput",
    "allow_fallbacks",
    "data_collection",
]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values) | json_values)
def test_no_provider_object_makes_it_raise(value):
    """Odd values count for nothing and never raise."""
    assert isinstance(RoutingRequest.from_body({"model": "m", "provider": value}).preferences, Preferences)
