"""When a call is hedged, and by whom."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from routing.catalogue import Deployment
from routing.health import Health
from routing.hedging import LEAST_CALLS, LEAST_WAIT_MS, duration_ms, hedge_after_ms, stand_ins
from routing.job import ServiceTier
from routing.plan import Candidate, Plan
from routing.preferences import Preferences
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from routing.speed import UNKNOWN
from routing.tier import tier_of
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
REQUEST = RoutingRequest("any", prompt_tokens=100)
POLICY = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], hedge=0.95)
DEPLOYMENTS = [Deployment(name, "m") for name in "abc"]
ORDERED = [Candidate(deployment) for deployment in DEPLOYMENTS]


def waiting(health, request=REQUEST, policy=POLICY, ordered=ORDERED):
    return hedge_after_ms(ordered, request, policy, Snapshot({"a/m": health}, NOW))


def known(points):
    """The health after good calls: (tokens, ms)."""
    speed = UNKNOWN
    for tokens, ms in points:
        speed = speed.after(ms, tokens, NOW)
    return Health(10, 10, 0, NOW, speed)


def test_off_unless_the_policy_says_so():
    """A policy without `hedge` hedges nothing, however much is known."""
    assert waiting(recorded(20, ms=500)) is not None
    assert waiting(recorded(20, ms=500), policy=replace(POLICY, hedge=None)) is None


@pytest.mark.parametrize(("good", "hedged"), [(0, False), (4, False), (5, True), (30, True)])
def test_only_where_enough_is_known(good, hedged):
    """Fewer remembered calls than five say nothing of what is long."""
    assert LEAST_CALLS == 5
    assert (waiting(recorded(good, ms=500)) is not None) is hedged


def test_noise_is_not_hedged():
    """A deployment that answers in a few ms is given 50 all the same."""
    assert waiting(recorded(20, ms=3)) == LEAST_WAIT_MS == 50


@pytest.mark.parametrize(("tier", "hedged"), [("priority", True), ("default", True), ("flex", False), ("batch", False)])
def test_who_is_in_no_hurry_is_not_hedged(tier, hedged):
    """Jobs of the flex tier and of batches wait for their one call."""
    request = replace(REQUEST, priority=ServiceTier(tier).priority)
    assert (waiting(recorded(20, ms=500), request) is not None) is hedged


def test_with_nobody_else_there_is_no_hedge():
    """A plan of one candidate has nobody to hedge with."""
    assert waiting(recorded(20, ms=500), ordered=ORDERED[:1]) is None


def test_fallback_models_do_not_stand_in():
    """Another model of the caller's list is for failures; who has the same model stands in, whatever its tier."""
    wishes = Preferences()

    def candidate(place, model_place, **changes):
        told = {"model_place": model_place, "falls_short": False, "within_bounds": True, **changes}
        return Candidate(DEPLOYMENTS[place], tier=tier_of(DEPLOYMENTS[place], wishes, {}, **told))

    ordered = [candidate(0, 0), candidate(1, 1), candidate(2, 0, within_bounds=False)]
    assert stand_ins(ordered) == [2]
    assert waiting(recorded(20, ms=500), ordered=ordered[:2]) is None


@pytest.mark.parametrize(("ttft_ms", "ms_per_token"), [(500, 0), (200, 2), (0, 5)])
def test_about_one_call_in_twenty_is_longer(ttft_ms, ms_per_token):
    """Of calls with normal lengths and noise some 5 % take longer than the 95th percentile, over many deployments."""
    rng = Random(1)

    def call():
        tokens = max(rng.gauss(300, 60), 1)
        return tokens, max((ttft_ms + ms_per_token * tokens) * rng.gauss(1, 0.1), 0.0)

    longer = 0
    for _ in range(100):
        speed = known(call() for _ in range(60)).speed
        limit_ms = duration_ms(speed, speed.mean_tokens, 0.95)
        longer += sum(took_ms > limit_ms for _, took_ms in (call() for _ in range(100)))
    assert 0.03 < longer / 10_000 < 0.08


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(1, 60_000)), min_size=1, max_size=40), st.integers(1, 5000))
def test_a_higher_percentile_waits_longer(points, tokens):
    """The wait is never below what the answer is expected to take, and grows with the percentile."""
    speed = known(points).speed
    waits = [duration_ms(speed, tokens, share) for share in (0.5, 0.9, 0.95, 0.999)]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(speed.expected_ms(tokens))


def test_lengths_count():
    """Where answers are of many lengths a long one is not taken for a slow one."""
    even = known((300, 600.0) for _ in range(30))
    uneven = known((tokens, 2.0 * tokens) for tokens in (50, 550) * 15)
    assert duration_ms(uneven.speed, 300, 0.95) > duration_ms(even.speed, 300, 0.95) + 500


def test_the_wait_travels_with_the_plan():
    """A stored plan keeps the wait, and one of an older version has none."""
    made = Plan("balanced", tuple(ORDERED), hedge_after_ms=812.5)
    assert Plan.from_wire(made.to_wire()).hedge_after_ms == 812.5
    assert made.as_object()["hedge_after_ms"] == 812.5
    old = Plan("balanced", tuple(ORDERED))
    assert "hedge_after_ms" not in old.to_wire()
    assert Plan.from_wire(old.to_wire()) == old
