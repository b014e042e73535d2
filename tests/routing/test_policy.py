"""The parts of a score."""

from decimal import Decimal

import pytest

from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import Price, PriceTier
from routing.catalogue import Deployment
from routing.health import Health
from routing.policy import expected_tokens, parts_of, score
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
BALANCED = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9, max_latency_s=2.0)


def priced(name, paid, made):
    return Deployment(name, "m", Price(Decimal(paid), Decimal(made)))


def parts(deployments, health=None, waits=None, **request):
    snapshot = Snapshot({f"{name}/m": found for name, found in (health or {}).items()}, NOW, waits_ms=waits or {})
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


def test_a_long_prompt_costs_the_rates_of_its_tier():
    """Beyond a threshold all tokens cost what the tier says; at it they cost what they did."""
    tiers = (PriceTier(1000, Decimal(2), Decimal(4)), PriceTier(5000, Decimal(10), Decimal(20)))
    [deployment] = [Deployment("a", "m", Price(Decimal(1), Decimal(2), tiers=tiers))]
    costs = {
        tokens: parts([deployment], prompt_tokens=tokens, max_tokens=100)[0].cost_microusd
        for tokens in (1000, 1001, 6000)
    }
    assert costs == {1000: 1200, 1001: 2402, 6000: 62_000}


def line(ttft_ms, ms_per_token, lengths=range(10, 610, 10)):
    found = Health()
    for length in lengths:
        found = found.after(True, ttft_ms + ms_per_token * length, length, NOW)  # noqa: FBT003
    return found


def test_latency_is_that_of_this_request():
    """A short answer is fastest from whoever begins first, a long one from whoever writes fastest."""
    health = {"prompt": line(100, 10), "steady": line(1000, 1)}
    deployments = [Deployment(name, "m") for name in health]
    begins, writes = parts(deployments, health, max_tokens=5)
    assert begins.latency == 1 > writes.latency
    assert begins.latency_ms == pytest.approx(150, rel=0.05)
    begins, writes = parts(deployments, health)
    assert writes.latency == 1 > begins.latency


def test_answers_are_expected_to_be_as_long_as_they_lately_were():
    """The same length for all candidates: what their recent answers had, the request's limit at most."""
    health = [line(100, 1, [100] * 40), line(100, 1, [300] * 40), Health()]
    assert expected_tokens(health, None) == pytest.approx(200)
    assert expected_tokens(health, 1000) == pytest.approx(200)
    assert expected_tokens(health, 50) == 50
    assert expected_tokens([Health()], None) == 256
    assert expected_tokens([], 10) == 10


def test_a_wait_in_the_queue_counts_as_latency():
    """Who is fast behind a long queue is slow, and out of bounds; also where its speed is not known."""
    waits = {"fast": (0.0, 3000.0, 3000.0, 3000.0), "new": (0.0, 9000.0, 9000.0, 9000.0)}
    health = {"fast": recorded(ms=100), "slow": recorded(ms=400)}
    deployments = [Deployment(name, "m") for name in ("fast", "slow", "new")]
    fast, slow, new = parts(deployments, health, waits)
    assert (fast.latency_ms, slow.latency_ms, new.latency_ms) == (pytest.approx(3100), pytest.approx(400), None)
    assert slow.latency == 1 > fast.latency > new.latency
    assert [part.within_bounds for part in (fast, slow, new)] == [False, True, False]
    urgent = parts(deployments, health, waits, priority=0)
    assert urgent[0].latency == 1
    assert all(part.within_bounds for part in urgent)


def test_a_stuck_queue_counts_where_no_speed_is_known():
    """With nothing measured at all, who has no queue is faster than who has one."""
    stuck, free = parts([Deployment("stuck", "m"), Deployment("free", "m")], waits={"stuck": (60_000.0,) * 4})
    assert free.latency == 1
    assert stuck.latency < 0.001
