"""Who is tried now and then to see whether it is well, and how one that recovered comes back."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from config.configuration import Configuration
from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import Price, ProviderConfig, ProviderModel
from config.tenant import Tenant, TenantFeatures
from routing.catalogue import Catalogue
from routing.health import UNKNOWN
from routing.plan import Plan
from routing.planner import plan
from routing.preferences import Preferences, Sort
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
NAMES = ("a", "b", "c")
TENANT = Tenant("t", providers=frozenset(NAMES))
POLICY = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], 0.9, 2.0, exploration=0.05)
ALWAYS = replace(POLICY, exploration=1.0)
REQUEST = RoutingRequest("any", prompt_tokens=100)


def catalogue(**prices):
    rows = {
        name: ProviderConfig(
            name=name,
            type="openai",
            endpoint="https://example.invalid/v1",
            models={"m": ProviderModel(Price(Decimal(price), Decimal(price)))},
            usable=True,
        )
        for name, price in prices.items()
    }
    return Catalogue.build(Configuration(rows, {"any": tuple(f"{name}/m" for name in rows)}, {}, {}, sandbox=False))


ALIKE = catalogue(a="1", b="1", c="1")


def planned(health, policy=ALWAYS, *, known=ALIKE, tenant=TENANT, request=REQUEST, waits=None, rng=None):
    snapshot = Snapshot({f"{name}/m": found for name, found in health.items()}, NOW, waits_ms=waits or {})
    return plan(request, tenant, policy, known, snapshot, NOW, rng or Random(1))


def first(found):
    """Who leads, and whether only to be explored."""
    return found.candidates[0].deployment.provider, found.candidates[0].explored


def fast(**changes):
    return recorded(20, ms=100, **changes)


def slow(age=60):
    return replace(recorded(20, ms=1500, now=NOW - age))


def test_one_nobody_knows_is_tried_as_often_as_the_policy_says():
    """About one request in twenty goes to the one that was slow when it was called last; all the others do not."""
    rng = Random(4)
    leaders = Counter(first(planned({"a": fast(), "b": slow()}, POLICY, known=catalogue(a="1", b="1"), rng=rng))
                      for _ in range(4000))  # fmt: skip
    assert 140 < leaders["b", True] < 270
    assert leaders["a", False] == 4000 - leaders["b", True]


def test_nobody_is_explored_with_the_setting_at_zero():
    """`exploration: 0` turns it off."""
    never = replace(POLICY, exploration=0.0)
    rng = Random(4)
    assert {first(planned({"a": fast(), "b": slow(), "c": slow()}, never, rng=rng)) for _ in range(200)} == {
        ("a", False)
    }


@pytest.mark.parametrize(
    ("health", "explored"),
    [
        ({"a": fast(), "b": slow(), "c": fast()}, {"b"}),
        ({"a": fast(), "b": slow(), "c": UNKNOWN}, {"b", "c"}),
        ({"a": fast(), "b": slow(age=5), "c": slow(age=5)}, set()),
    ],
)
def test_only_those_nobody_called_for_a_while(health, explored):
    """Ten seconds, or ever; whoever was called since is known."""
    rng = Random(2)
    leaders = [first(planned(health, rng=rng)) for _ in range(100)]
    assert {name for name, was_explored in leaders if was_explored} == explored


def test_only_those_that_could_be_best():
    """One that is too dear to lead however fast it were is not explored."""
    known = catalogue(a="1", b="9", c="1.1")
    rng = Random(2)
    leaders = {first(planned({"a": fast(), "b": slow(), "c": slow()}, known=known, rng=rng)) for _ in range(50)}
    assert leaders == {("c", True)}


def test_a_queue_that_stands_is_not_explored():
    """Its worker may be away: a job sent there would only wait."""
    waits = {"b": (5000.0,) * 4}
    assert first(planned({"a": fast(), "b": slow(), "c": fast()}, waits=waits))[1] is False


def test_those_put_back_by_the_policys_bounds_are_explored():
    """Too slow, or failing, when it was called last: it may be well by now."""
    too_slow, failing = recorded(20, ms=9000, now=NOW - 60), recorded(0, 20, now=NOW - 60)
    assert first(planned({"a": fast(), "b": too_slow, "c": fast()})) == ("b", True)
    assert first(planned({"a": fast(), "b": failing, "c": fast()})) == ("b", True)


def test_one_that_is_recovering_is_called_on():
    """Put back for its failures, and well when it was called last: a few calls more, without a pause."""
    recovering = replace(recorded(3, 20), consecutive_failures=0)
    assert first(planned({"a": fast(), "b": recovering, "c": fast()})) == ("b", True)
    failing = recorded(3, 20)
    assert first(planned({"a": fast(), "b": failing, "c": fast()}))[1] is False


def test_a_tenants_own_choice_comes_back():
    """A primary that was put back is explored, though the others' scores are better; those behind it never are."""
    tenant = replace(TENANT, primary_provider="b", fallback_order=("a",))
    health = {"a": fast(), "b": recorded(20, ms=9000, now=NOW - 60), "c": slow()}
    rng = Random(2)
    assert {first(planned(health, tenant=tenant, rng=rng)) for _ in range(50)} == {("b", True)}


@pytest.mark.parametrize(
    "wishes",
    [
        Preferences(order=("a",)),
        Preferences(sort=Sort.LATENCY),
        Preferences(allow_fallbacks=False),
    ],
)
def test_a_callers_own_order_explores_nothing(wishes):
    """Who said `order` or `sort` gets that, and one call alone is not spent on finding out."""
    found = planned({"a": fast(), "b": slow(), "c": slow()}, request=replace(REQUEST, preferences=wishes))
    assert first(found) == ("a", False)


def test_without_failover_nobody_is_explored():
    """A tenant that has no second call does not spend its first on finding out."""
    tenant = replace(TENANT, features=TenantFeatures(failover=False))
    assert first(planned({"a": fast(), "b": slow(), "c": slow()}, tenant=tenant)) == ("a", False)


def test_fallback_models_are_not_explored():
    """The caller's first model is asked first."""
    request = RoutingRequest("a/m", models=("b/m",))
    assert first(planned({"a": fast(), "b": slow()}, request=request)) == ("a", False)


def test_the_plan_says_so():
    """A plan that explores shows it, keeps it with its job, and still holds everybody once."""
    found = planned({"a": fast(), "b": slow(), "c": fast()})
    assert found.as_object()["candidates"][0]["explored"] is True
    assert "explored" not in found.as_object()["candidates"][1]
    assert Plan.from_wire(found.to_wire()).candidates[0].explored
    assert sorted(candidate.deployment.provider for candidate in found.candidates) == list(NAMES)


def shares(policy, world, *, known, seconds, per_second=5, seed=3):
    """Simulates calls, each to the first candidate, its outcome recorded at once; who led, by ten seconds.

    `world(name, second)` is the duration in ms of a good call, or None for a failure, on which the next one answers.
    """
    health, rng, found = {}, Random(seed), []
    for call in range(seconds * per_second):
        now = NOW + call / per_second
        snapshot = Snapshot({f"{name}/m": record for name, record in health.items()}, now)
        made = plan(REQUEST, TENANT, policy, known, snapshot, now, rng)
        for candidate in made.candidates:
            name = candidate.deployment.provider
            took_ms = world(name, call / per_second)
            before = health.get(name, UNKNOWN)
            health[name] = before.after(took_ms is not None, took_ms or 50.0, 100, now)
            if took_ms is not None:
                break
        found.append((int(call / per_second / 10), made.candidates[0].deployment.provider))
    return [
        Counter(name for period, name in found if period == which)["a"] / (10 * per_second)
        for which in range(seconds // 10)
    ]


def test_a_deployment_that_was_slow_comes_back():
    """Twenty times too slow for half a minute, past max_latency: left within ten seconds, back within two minutes."""

    def world(name, second):
        return (4000.0 if 30 <= second < 60 else 200.0) if name == "a" else 200.0

    known = catalogue(a="0.5", b="2")
    share = shares(replace(POLICY, max_latency_s=1.0), world, known=known, seconds=200)
    assert share[2] > 0.8
    assert max(share[4:6]) < 0.2
    assert min(share[18:]) > 0.8
    without = shares(replace(POLICY, max_latency_s=1.0, exploration=0.0), world, known=known, seconds=200)
    assert max(without[4:]) == 0


def test_a_deployment_that_was_down_comes_back():
    """Down for half a minute: left within ten seconds, and back minutes before its failures would have faded."""

    def world(name, second):
        return None if name == "a" and 30 <= second < 60 else 200.0

    known = catalogue(a="0.5", b="2")
    share = shares(POLICY, world, known=known, seconds=300)
    assert share[2] > 0.8
    assert max(share[4:6]) < 0.2
    assert min(share[26:]) > 0.8
