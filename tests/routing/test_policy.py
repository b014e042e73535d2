"""The parts of a score."""

from decimal import Decimal

import pytest

from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import Price
from routing.catalogue import Deployment
from routing.health import Snapshot
from routing.policy import parts_of, score
from routing.request import RoutingRequest
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
BALANCED = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9, max_latency_s=2.0)


def priced(name, paid, made):
    return Deployment(name, "m", Price(Decimal(paid), Decimal(made)))


def parts(deployments, health=None, **request):
    snapshot = Snapshot({f"{name}/m": found for name, found in (health or {}).items()}, NOW)
    return parts_of(deployments, RoutingRequest("m", **request), BALANCED, snapshot, NOW)


def test_cost_is_estimated_for_the_request():
    """Where the answer is short the cheap input wins, and where its length is open the cheap output."""
    deployments = [priced("input", "1", "10"), priced("output", "2", "2")]
    by_prompt = parts(deployments, prompt_tokens=500, max_tokens=1)
    by_answer = parts(deployments, prompt_tokens=500)
    assert by_prompt[0].cost == 1 > by_prompt[1].cost
    assert by_answer[1].cost == 1 > by_answer[0].cost


def test_half_the_cost_is_twice_the_part():
    """Cost parts are ratios to the cheapest."""
    cheap, dear = parts([priced("a", "1", "1"), priced("b", "2", "2")], prompt_tokens=10**6)
    assert (cheap.cost, dear.cost) == (1, pytest.approx(0.5, rel=1e-4))


def test_unknown_price_is_never_free():
    """An unknown price counts as the dearest known one, and as nothing where none is known."""
    cheap, dear, unknown = parts([priced("a", "1", "1"), priced("b", "4", "4"), Deployment("c", "m")])
    assert unknown.cost == dear.cost < cheap.cost
    assert [part.cost for part in parts([Deployment("a", "m"), Deployment("b", "m")])] == [1, 1]


def test_free_is_best_and_finite():
    """A price of zero makes the others small, never undefined."""
    free, paid = parts([priced("a", "0", "0"), priced("b", "1", "1")])
    assert free.cost == 1
    assert 0 < paid.cost < 0.01


def test_unknown_latency_takes_the_mean():
    """A deployment that was never called is neither the fastest nor the slowest."""
    health = {"a": recorded(ms=100), "b": recorded(ms=400)}
    fast, slow, unknown = parts([Deployment(name, "m") for name in "abc"], health)
    assert fast.latency == 1
    assert slow.latency == pytest.approx(110 / 410)
    assert unknown.latency == pytest.approx((fast.latency + slow.latency) / 2)


def test_bounds():
    """Too many failures or too slow is out of bounds; unknown latency is not."""
    health = {"down": recorded(10, 10), "slow": recorded(ms=2001)}
    found = parts([Deployment(name, "m") for name in ("down", "slow", "new")], health)
    assert [part.within_bounds for part in found] == [False, False, True]


def test_weights_move_the_choice():
    """Cost-optimized prefers the cheap one, performance-first the fast one."""
    health = {"cheap": recorded(ms=1000), "fast": recorded(ms=200)}
    cheap, fast = parts([priced("cheap", "1", "1"), priced("fast", "3", "3")], health)
    by_cost, by_speed = (PolicyConfig(name, name, DEFAULT_WEIGHTS[name]) for name in list(DEFAULT_WEIGHTS)[1:])
    assert score(by_cost, cheap) > score(by_cost, fast)
    assert score(by_speed, fast) > score(by_speed, cheap)
