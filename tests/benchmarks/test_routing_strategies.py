"""The strategies beside the product: what they call, and what they do with failures."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.arrivals import poisson
from benchmarks.routing.gateway import outcome_of
from benchmarks.routing.oracle import Oracle, ranking
from benchmarks.routing.priority_list import PriorityList
from benchmarks.routing.scenarios import SCENARIOS
from benchmarks.routing.shuffle import COOLDOWN_S, NUM_RETRIES, Cooldowns, Shuffle
from benchmarks.routing.wire import Reply

GOOD = Reply(200, {"choices": [{}], "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
NAMES = ("swift", "steady", "distant")


class Providers:
    """Answers calls with a status each, 200 where none is set, and notes who was called."""

    def __init__(self, **statuses):
        self.statuses = statuses
        self.called = []

    def __call__(self, provider, _number):
        self.called.append(provider)
        status = self.statuses.get(provider, 200)
        return GOOD if status == 200 else Reply(status)


@given(rate=st.integers(min_value=5, max_value=200), seed=st.integers(min_value=0, max_value=2**32))
def test_arrivals_are_the_same_for_a_seed_in_order_and_as_many_as_the_rate_says(rate, seed):
    """Within six standard deviations of a Poisson count."""
    moments = poisson(rate, 20.0, seed)
    assert moments == poisson(rate, 20.0, seed)
    assert list(moments) == sorted(moments)
    assert all(0 < moment < 20 for moment in moments)
    assert abs(len(moments) - 20 * rate) < 6 * (20 * rate) ** 0.5


def test_the_list_goes_down_in_order_and_forgets():
    """The broken first one is called again for every request."""
    providers = Providers(swift=503)
    strategy = PriorityList(providers, NAMES)
    outcomes = [strategy.send(number, 0.0) for number in range(2)]
    assert [(found.provider, found.calls, found.prompt_tokens) for found in outcomes] == [("steady", 2, 7)] * 2
    assert providers.called == ["swift", "steady"] * 2


def test_the_list_fails_when_everybody_does():
    """Three calls, no answer, and a reason."""
    outcome = PriorityList(Providers(**dict.fromkeys(NAMES, 503)), NAMES).send(0, 0.0)
    assert (outcome.provider, outcome.calls, outcome.problem) == (None, 3, "503 of the last one")


def test_a_shuffle_spreads_evenly_over_those_that_work():
    """A uniform pick: each gets about a third."""
    providers = Providers()
    strategy = Shuffle(providers, NAMES, Random(1), lambda: 0.0)
    for number in range(3000):
        assert strategy.send(number, 0.0).calls == 1
    assert all(900 < providers.called.count(name) < 1100 for name in NAMES)


def test_a_shuffle_leaves_a_limited_provider_alone_for_five_seconds():
    """One 429 cools it down at once; when that is over it is picked again."""
    now = [100.0]
    providers = Providers(swift=429)
    strategy = Shuffle(providers, NAMES, Random(1), lambda: now[0])
    for number in range(50):
        assert strategy.send(number, 0.0).provider is not None
    assert providers.called.count("swift") == 1
    now[0] += COOLDOWN_S
    for number in range(50):
        strategy.send(number, 0.0)
    assert providers.called.count("swift") == 2


def test_a_shuffle_retries_elsewhere_and_fails_when_nobody_is_left():
    """Two retries, each at another one; when all cool down, no call is made."""
    providers = Providers(**dict.fromkeys(NAMES, 429))
    strategy = Shuffle(providers, NAMES, Random(1), lambda: 100.0)
    outcome = strategy.send(0, 0.0)
    assert (outcome.provider, outcome.calls) == (None, NUM_RETRIES + 1)
    assert sorted(providers.called) == sorted(NAMES)
    assert strategy.send(1, 0.0).calls == 0


@pytest.mark.parametrize(
    ("good", "statuses", "cools"),
    [
        (0, [503] * 4, False),
        (0, [503] * 5, True),
        (5, [503] * 5, False),
        (5, [503] * 6, True),
        (0, [400] * 9, False),
        (0, [0] * 9, False),
        (9, [401], True),
    ],
)
def test_cooling_down_follows_litellms_rule(good, statuses, cools):
    """Over half of at least five calls of the minute, or a 401, 404, 408, 429; never for a 400 or a lost connection."""
    cooldowns = Cooldowns()
    for _ in range(good):
        cooldowns.succeeded("swift", 1.0)
    for status in statuses:
        cooldowns.failed("swift", status, 1.0)
    assert cooldowns.cooling("swift", 1.0) is cools
    assert not cooldowns.cooling("swift", 1.0 + COOLDOWN_S)


def test_a_new_minute_forgets_the_failures_of_the_last():
    """Four failures before it and one after are not five of one minute."""
    cooldowns = Cooldowns()
    for second in (59.0, 59.1, 59.2, 59.3, 60.0):
        cooldowns.failed("swift", 503, second)
    assert not cooldowns.cooling("swift", 60.0)


def test_the_oracle_knows_when_trouble_begins_and_ends():
    """The favourite is last while it is slow, down, limited or dear, and first before and after."""
    for scenario in SCENARIOS.values():
        begin, end = scenario.trouble
        if not scenario.moves:
            continue
        assert ranking(scenario, begin + 1, {})[0] == "steady", scenario.name
        assert ranking(scenario, end + 1, {})[0] == "swift", scenario.name
        if begin > 0:
            assert ranking(scenario, begin - 1, {})[0] == "swift", scenario.name


def test_the_oracle_never_calls_more_at_once_than_a_provider_takes():
    """A full one goes last, until one of its calls has ended."""
    scenario = SCENARIOS["uneven-capacity"]
    assert ranking(scenario, 1.0, {"swift": 1})[0] == "swift"
    assert ranking(scenario, 1.0, {"swift": 2})[0] == "steady"
    assert ranking(scenario, 1.0, {"swift": 2, "steady": 3})[0] == "distant"


def test_the_oracle_goes_on_to_the_next_best():
    """A call that fails all the same costs a call and no answer."""
    outcome = Oracle(Providers(swift=503), SCENARIOS["brown-out"]).send(0, 1.0)
    assert (outcome.provider, outcome.calls) == ("steady", 2)


def test_the_gateways_answer_tells_who_answered_after_how_many_calls():
    """The last attempt answered; the attempts' own time is what the provider calls took."""
    story = {"attempts": [{"provider": "swift"}, {"provider": "steady"}], "api_processing_time": 250.5}
    outcome = outcome_of(Reply(200, {**GOOD.body, "routing_metadata": story}))
    assert (outcome.provider, outcome.calls, outcome.calls_ms) == ("steady", 2, 250.5)
    refused = outcome_of(Reply(502, {"error": {"code": "all_providers_failed"}, "routing_metadata": story}))
    assert (refused.provider, refused.calls, refused.problem) == (None, 2, "502 all_providers_failed")
    assert outcome_of(Reply(0)).problem == "0 no answer"


def test_a_scaled_scenario_tells_the_same_story():
    """Every moment keeps its place in it."""
    whole = SCENARIOS["flapping"]
    half = whole.scaled(whole.seconds / 2)
    for second in (0.0, 13.0, 17.0, 23.0, 35.0):
        assert half.at(second / 2) == whole.at(second)
    assert half.settled == (whole.settled[0] / 2, whole.settled[1] / 2)
