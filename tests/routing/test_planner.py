"""The plan: who is tried, in which order, and why the others are not."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access_key import AccessKey
from config.configuration import Configuration
from config.policy import DEFAULT_WEIGHTS, PolicyConfig, PolicyWeights
from config.provider import Price, ProviderConfig, ProviderModel
from config.tenant import Tenant, TenantFeatures
from routing.access_errors import ModelNotAllowed
from routing.breaker import Breaker, BreakerState
from routing.catalogue import Catalogue
from routing.check import Check, CheckStatus
from routing.errors import ModelNotFound, NoCandidates
from routing.health import Health
from routing.plan import Plan
from routing.planner import plan
from routing.preferences import Preferences
from routing.request import RoutingRequest
from routing.snapshot import Snapshot
from tests.support.evidence import recorded

NOW = 1_700_000_000.0
NAMES = ("a", "b", "c", "d", "e")
EVERYONE = Tenant("t", providers=frozenset(NAMES))
BALANCED = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9, max_latency_s=2.0)
CAPABLE = frozenset({"chat", "tools", "vision", "json_schema"})


def model(price="1", capabilities=CAPABLE, context_length=100_000):
    price = None if price is None else Price(Decimal(price), Decimal(price), source="config")
    return ProviderModel(price, context_length, capabilities)


def catalogue(rows, **unusable):
    """Providers with one model "m" each, all behind the alias "any"; `unusable` gives reasons."""
    providers = {
        name: ProviderConfig(
            name=name,
            type="openai",
            endpoint="https://example.invalid/v1",
            models={"m": row},
            usable=name not in unusable,
            unusable_reason=unusable.get(name),
        )
        for name, row in rows.items()
    }
    aliases = {"any": tuple(f"{name}/m" for name in rows)}
    return Catalogue.build(Configuration(providers, aliases, {}, {}, sandbox=False))


def planned(
    rows=None,
    *,
    request=None,
    tenant=EVERYONE,
    policy=BALANCED,
    health=None,
    breakers=None,
    checks=None,
    waits=None,
    seed=1,
    **unusable,
):
    """A plan over `rows` (all alike where not given) with the health of some, by provider name."""
    snapshot = Snapshot(
        {f"{name}/m": found for name, found in (health or {}).items()}, NOW, breakers or {}, waits or {}, checks or {}
    )
    known = catalogue(rows or {name: model() for name in NAMES}, **unusable)
    return plan(request or RoutingRequest("any"), tenant, policy, known, snapshot, NOW, Random(seed))


def order(found):
    return [candidate.deployment.provider for candidate in found.candidates]


def test_cheaper_goes_first():
    """All else equal, candidates go by cost."""
    found = planned({"a": model("9"), "b": model("1"), "c": model("3")})
    assert order(found) == ["b", "c", "a"]
    assert found.policy == "balanced"


def test_failing_deployment_goes_last():
    """A deployment below min_uptime goes last, however cheap, and is not left out."""
    found = planned({"a": model("1"), "b": model("5"), "c": model("9")}, health={"a": recorded(0, 5)})
    assert order(found) == ["b", "c", "a"]


@pytest.mark.parametrize("status", [CheckStatus.FAILED, CheckStatus.MISCONFIGURED])
def test_an_account_that_failed_its_check_goes_last(status):
    """It goes last, however cheap, and is not left out; a good check or a later good call ends that."""
    rows = {"a": model("1"), "b": model("9")}
    assert order(planned(rows)) == ["a", "b"]
    assert order(planned(rows, checks={"a": Check(status, NOW, 1.0, 1)})) == ["b", "a"]
    assert order(planned(rows, checks={"a": Check(CheckStatus.OK, NOW, 1.0)})) == ["a", "b"]
    earlier = {"a": Check(status, NOW - 1, 1.0, 1)}
    assert order(planned(rows, checks=earlier, health={"a": recorded(1), "b": recorded(1)})) == ["a", "b"]


def test_slow_deployment_goes_last():
    """A deployment over max_latency goes last."""
    found = planned({"a": model("1"), "b": model("9")}, health={"a": recorded(5, ms=2500)})
    assert order(found) == ["b", "a"]


def test_tenant_preference():
    """The tenant's primary goes first, its fallback order next, the rest by score; a failing primary goes last."""
    tenant = replace(EVERYONE, primary_provider="d", fallback_order=("b", "d"))
    rows = {"a": model("5"), "b": model("9"), "c": model("1"), "d": model("7")}
    assert order(planned(rows, tenant=tenant)) == ["d", "b", "c", "a"]
    assert order(planned(rows, tenant=tenant, health={"d": recorded(0, 9)})) == ["b", "c", "a", "d"]


def test_caller_models_are_tried_in_order():
    """The caller's fallback models come after the model, whatever they cost, and none comes twice."""
    rows = {"a": model("9"), "b": model("1")}
    found = planned(rows, request=RoutingRequest("a/m", models=("b/m", "any")))
    assert order(found) == ["a", "b"]


def test_exclusions_say_why():
    """Each deployment left out is listed with its reason."""
    rows = {"a": model(), "b": model(capabilities=frozenset({"chat"})), "c": model(context_length=100), "d": model()}
    tenant = replace(EVERYONE, providers=frozenset("abcd"))
    request = RoutingRequest("any", needs=frozenset({"tools", "vision"}), prompt_tokens=1000)
    found = planned({**rows, "e": model()}, request=request, tenant=tenant, d="no key: D_KEY is not set")
    assert order(found) == ["a"]
    assert [str(exclusion) for exclusion in found.exclusions] == [
        "b/m: lacks tools, vision",
        "c/m: context of 100 tokens is too short for about 1000",
        "d/m: no key: D_KEY is not set",
        "e/m: not among the tenant's providers",
    ]


def test_no_candidates_lists_every_exclusion():
    """When nobody can serve the request, a 400 says why of each."""
    with pytest.raises(NoCandidates) as caught:
        planned({"a": model(), "b": model()}, tenant=replace(EVERYONE, providers=frozenset("b")), b="disabled")
    assert "a/m: not among the tenant's providers; b/m: disabled" in caught.value.message
    assert caught.value.body()["error"]["type"] == "invalid_request_error"


def test_unknown_fallback_model_is_not_found():
    """An unknown name among the fallback models is a 404, not silence."""
    with pytest.raises(ModelNotFound):
        planned(request=RoutingRequest("any", models=("nothing",)))


def test_a_rough_estimate_excludes_nobody():
    """A prompt a little over the context by estimate is left to the provider."""
    assert planned({"a": model(context_length=1000)}, request=RoutingRequest("any", prompt_tokens=1200)).candidates


def test_without_failover_only_the_first():
    """A tenant without failover gets one candidate, the best."""
    tenant = replace(EVERYONE, features=TenantFeatures(failover=False))
    assert order(planned({"a": model("9"), "b": model("1")}, tenant=tenant)) == ["b"]


def test_equals_share_the_load():
    """Equal candidates each lead about as often; one near the edge of the margin leads seldom."""
    known = catalogue({"a": model("1"), "b": model("1"), "c": model("1.15")})
    rng = Random(7)
    first = Counter(
        order(plan(RoutingRequest("any"), EVERYONE, BALANCED, known, Snapshot(), NOW, rng))[0] for _ in range(3000)
    )
    assert abs(first["a"] - first["b"]) < 200
    assert 0 < first["c"] < first["a"] / 2


def test_wire_form_holds_what_a_worker_needs():
    """A plan survives JSON with order, scores to four digits, context and exact price."""
    found = planned({"a": model("0.1"), "b": model(None, context_length=None), "c": model("0.3")})
    back = Plan.from_wire(json.loads(json.dumps(found.to_wire())))
    assert back.policy == found.policy
    for sent, kept in zip(found.candidates, back.candidates, strict=True):
        assert kept.deployment == replace(sent.deployment, capabilities=None)
        assert kept.tier == sent.tier
        assert kept.score == pytest.approx(sent.score, abs=1e-4)
    assert back.to_wire() == found.to_wire()


prices = st.none() | st.decimals(0, 50, places=3).map(str)
healths = st.none() | st.builds(
    lambda good, bad, ms, age, tokens: recorded(good, bad, ms, now=NOW - age, tokens=tokens),
    st.integers(0, 50),
    st.integers(0, 50),
    st.floats(1, 20_000),
    st.floats(0, 5000),
    st.integers(1, 2000),
)
waits = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 60_000).map(lambda ms: (0.0, ms, ms, ms)), max_size=2)
policies = st.sampled_from([PolicyConfig(name, name, weights, 0.9, 2.0) for name, weights in DEFAULT_WEIGHTS.items()])
weights = (
    st.tuples(st.integers(0, 100), st.integers(0, 100))
    .map(sorted)
    .map(lambda cuts: PolicyWeights(cuts[0] / 100, (cuts[1] - cuts[0]) / 100, (100 - cuts[1]) / 100))
)
curious = st.builds(
    lambda weights, exploration: PolicyConfig("own", "balanced", weights, 0.9, 2.0, exploration=exploration),
    weights,
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
)
worlds = st.fixed_dictionaries(
    {
        "rows": st.dictionaries(
            st.sampled_from(NAMES),
            st.builds(
                model,
                prices,
                st.frozensets(st.sampled_from(sorted(CAPABLE))),
                st.none() | st.integers(1, 2000),
            ),
            min_size=1,
        ),
        "health": st.dictionaries(st.sampled_from(NAMES), healths.filter(bool)),
        "policy": policies | curious,
        "waits": waits,
        "tenant": st.builds(
            lambda providers, primary, failover: Tenant(
                "t", providers=providers, primary_provider=primary, features=TenantFeatures(failover=failover)
            ),
            st.frozensets(st.sampled_from(NAMES), min_size=3),
            st.none() | st.sampled_from(NAMES),
            st.booleans(),
        ),
        "request": st.builds(
            RoutingRequest,
            st.just("any"),
            needs=st.frozensets(st.sampled_from(["tools", "vision"])),
            prompt_tokens=st.integers(0, 2000),
            max_tokens=st.none() | st.integers(1, 2000),
        ),
        "seed": st.integers(0, 2**32),
    }
)


def outcome(world, **unusable):
    """The plan of a world, or None where nobody can serve it."""
    try:
        return planned(**world, **unusable)
    except NoCandidates:
        return None


@given(worlds, st.dictionaries(st.sampled_from(NAMES), st.just("disabled"), max_size=2))
def test_a_plan_holds_only_who_can_serve(world, unusable):
    """Nobody is both candidate and excluded, nobody comes twice, and no candidate fails a condition."""
    found = outcome(world, **unusable)
    if found is None:
        return
    chosen = order(found)
    assert len(set(chosen)) == len(chosen)
    assert not set(chosen) & {exclusion.provider for exclusion in found.exclusions}
    if world["tenant"].features.failover:
        assert set(chosen) | {exclusion.provider for exclusion in found.exclusions} == set(world["rows"])
    for candidate in found.candidates:
        assert candidate.deployment.provider in world["tenant"].providers
        assert candidate.deployment.provider not in unusable
        assert world["request"].needs <= candidate.deployment.capabilities


@given(worlds)
def test_same_inputs_same_plan(world):
    """A plan is a function of its inputs and the seed."""
    assert outcome(world) == outcome(world)


@given(worlds)
def test_scores_and_parts_are_shares(world):
    """Scores and parts lie within 0..1, and tiers come in order, but for one in front that is explored."""
    found = outcome(world)
    for candidate in found.candidates if found else ():
        for part in (candidate.score, candidate.cost, candidate.latency, candidate.uptime):
            assert 0 <= part <= 1
    if found:
        assert not any(candidate.explored for candidate in found.candidates[1:])
        tiers = [candidate.tier for candidate in found.candidates if not candidate.explored]
        assert tiers == sorted(tiers)


@given(worlds)
def test_a_score_is_the_weighted_sum_of_its_parts(world):
    """Each part counts with its weight, nothing else does, and the best of everything scores 1."""
    found, weights = outcome(world), world["policy"].weights
    for candidate in found.candidates if found else ():
        total = weights.cost * candidate.cost + weights.latency * candidate.latency + weights.uptime * candidate.uptime
        assert candidate.score == pytest.approx(total)
        if candidate.cost == candidate.latency == candidate.uptime == 1:
            assert candidate.score == pytest.approx(1)


@pytest.mark.parametrize("axis", ["cost", "latency", "uptime"])
@given(worlds)
def test_a_whole_weight_orders_by_its_part_alone(axis, world):
    """A policy with all its weight on one part ranks by that part, within each tier and but for the draw."""
    alone = PolicyWeights(**{"cost": 0.0, "latency": 0.0, "uptime": 0.0, axis: 1.0})
    found = outcome({**world, "policy": PolicyConfig("own", "balanced", alone)})
    for one, other in zip(found.candidates, found.candidates[1:], strict=False) if found else ():
        if one.tier == other.tier:
            assert getattr(one, axis) > getattr(other, axis) - 0.05


@given(worlds)
def test_exploring_moves_one_and_changes_nothing_else(world):
    """The order without the explored one is the order there is without exploration."""
    curious, calm = (
        outcome({**world, "policy": replace(world["policy"], exploration=exploration)}) for exploration in (1.0, 0.0)
    )
    if curious is None:
        return
    if not curious.candidates[0].explored:
        assert curious == calm
        return
    moved = replace(curious.candidates[0], explored=False)
    assert list(curious.candidates[1:]) == [candidate for candidate in calm.candidates if candidate != moved]
    assert calm.candidates[0] != moved in calm.candidates


@given(worlds)
def test_better_on_every_axis_never_scores_lower(world):
    """Who is at least as good in cost, latency and uptime scores at least as high, and ranks so but for the draw."""
    found = outcome({**world, "policy": replace(world["policy"], exploration=0.0)})
    candidates = found.candidates if found else ()
    for place, one in enumerate(candidates):
        for after, other in enumerate(candidates):
            if one.cost >= other.cost and one.latency >= other.latency and one.uptime >= other.uptime:
                assert one.score >= other.score - 1e-12
                if one.tier == other.tier and one.score > other.score + 0.05:
                    assert place < after


@given(
    st.lists(
        st.tuples(st.integers(0, 50_000), st.integers(1, 20_000), st.integers(0, 20), st.integers(0, 20)),
        min_size=2,
        max_size=5,
    ),
    policies,
)
def test_cheaper_faster_and_steadier_never_scores_lower(facts, policy):
    """The same from the facts: cheaper, faster and with fewer failures never scores lower."""
    rows = {name: model(str(Decimal(price) / 1000)) for name, (price, *_) in zip(NAMES, facts, strict=False)}
    health = {name: recorded(good + 1, bad, ms) for name, (_, ms, good, bad) in zip(NAMES, facts, strict=False)}
    scores = {
        found.deployment.provider: found.score for found in planned(rows, health=health, policy=policy).candidates
    }
    known = dict(zip(NAMES, facts, strict=False))
    for one, (price, ms, good, bad) in known.items():
        for other, (other_price, other_ms, other_good, other_bad) in known.items():
            steadier = bad == 0 or (bad <= other_bad and good >= other_good)
            if price <= other_price and ms <= other_ms and steadier:
                assert scores[one] >= scores[other] - 1e-9


def shut(seconds):
    return Breaker(BreakerState.OPEN, until_s=NOW + seconds)


def test_open_breakers_are_left_out_with_the_reason():
    """A deployment whose breaker, or whose account's breaker, is open is no candidate, and the reason says how long."""
    found = planned(breakers={"a/m": shut(11.2), "b": shut(30), "c": Breaker(BreakerState.FORCED_OPEN)})
    assert set(order(found)) == {"d", "e"}
    assert [str(exclusion) for exclusion in found.exclusions] == [
        "a/m: circuit breaker open for another 12 s",
        "b/m: circuit breaker open for another 30 s",
        "c/m: circuit breaker open",
    ]


def test_open_breakers_past_their_wait_are_candidates():
    """Somebody must be the probe: the claim decides who."""
    states = {"a/m": shut(0), "b/m": shut(-5), "c/m": Breaker(BreakerState.HALF_OPEN)}
    assert set(order(planned(breakers={**states, "d/m": Breaker(BreakerState.FORCED_CLOSED)}))) == set(NAMES)


def test_with_every_breaker_open_the_first_to_reopen_is_kept():
    """A job waits rather than fails: the one that may be called first stays."""
    breakers = {"a": shut(50), "a/m": shut(1), "b": shut(20), "c": shut(40), "d/m": Breaker(BreakerState.FORCED_OPEN)}
    found = planned({name: model() for name in "abcd"}, breakers=breakers)
    assert order(found) == ["b"]
    assert len(found.exclusions) == 3


def test_a_tenant_may_ignore_breakers():
    """With `circuit_breaker: false` every deployment stays a candidate."""
    careless = replace(EVERYONE, features=TenantFeatures(circuit_breaker=False))
    assert set(order(planned(tenant=careless, breakers={"a": shut(50)}))) == set(NAMES)


@given(st.dictionaries(st.sampled_from([*NAMES, *(f"{n}/m" for n in NAMES)]), st.integers(-9, 9)), st.integers(0, 99))
def test_no_plan_holds_a_shut_out_candidate_while_another_is_left(waits, seed):
    """A plan is never empty for breakers, and holds one that is open only where all are."""
    found = order(planned(breakers={name: shut(seconds) for name, seconds in waits.items()}, seed=seed))
    longest = {name: max(waits.get(name, 0), waits.get(f"{name}/m", 0), 0) for name in NAMES}
    free = {name for name, seconds in longest.items() if seconds == 0}
    assert set(found) == free if free else longest[found[0]] == min(longest.values())


EMBEDS = frozenset({"embeddings"})


def test_chat_and_embeddings_go_to_whom_they_concern():
    """Who only embeds is left out of a chat's plan, who only chats out of an embedding's, each with the reason."""
    rows = {"a": model(), "b": model(capabilities=EMBEDS), "c": model(capabilities=EMBEDS | {"chat"})}
    chats = planned(rows, request=RoutingRequest("any"))
    assert {candidate.deployment.provider for candidate in chats.candidates} == {"a", "c"}
    assert [str(left) for left in chats.exclusions] == ["b/m: does not serve chat"]
    embeds = planned(rows, request=RoutingRequest.from_embeddings({"model": "any", "input": "x"}))
    assert {candidate.deployment.provider for candidate in embeds.candidates} == {"b", "c"}
    assert [str(left) for left in embeds.exclusions] == ["a/m: does not serve embeddings"]


RESPONDS = frozenset({"chat", "responses"})


def test_responses_go_to_whom_they_concern():
    """One that only a Responses endpoint can be told goes there alone; any other goes to who has that or a chat."""
    rows = {"a": model(), "b": model(capabilities=RESPONDS), "c": model(capabilities=RESPONDS - {"chat"})}
    only = planned(rows, request=RoutingRequest("any", responds=True, responses_field="tools[0].type"))
    assert {candidate.deployment.provider for candidate in only.candidates} == {"b", "c"}
    assert [str(left) for left in only.exclusions] == ["a/m: has no Responses endpoint, which tools[0].type needs"]
    either = planned(rows, request=RoutingRequest("any", responds=True))
    assert {candidate.deployment.provider for candidate in either.candidates} == {"a", "b", "c"}
    chats = planned(rows, request=RoutingRequest("any"))
    assert [str(left) for left in chats.exclusions] == ["c/m: does not serve chat"]


def test_what_needs_a_responses_endpoint_is_named_where_nobody_has_one():
    """By the field, unless it is the caller's own wish that leaves nobody."""
    request = RoutingRequest("any", responds=True, responses_field="tools[0].type")
    with pytest.raises(NoCandidates) as caught:
        planned({"a": model(), "b": model()}, request=request, b="disabled")
    assert caught.value.param == "tools[0].type"
    rows = {"a": model(), "b": model(capabilities=RESPONDS)}
    wish = Preferences.from_body({"provider": {"only": ["a"]}}, ("any",))
    with pytest.raises(NoCandidates) as caught:
        planned(rows, request=replace(request, preferences=wish))
    assert caught.value.param == "provider"


def test_each_input_must_fit_by_itself():
    """Many short inputs fit a short context, one long input does not."""
    rows = {"a": model(capabilities=EMBEDS, context_length=100)}
    assert planned(rows, request=RoutingRequest.from_embeddings({"model": "any", "input": ["x" * 300] * 50}))
    with pytest.raises(NoCandidates, match="too short"):
        planned(rows, request=RoutingRequest.from_embeddings({"model": "any", "input": "x" * 600}))


def test_an_embeddings_cost_and_time_are_its_inputs():
    """The estimate is the input's price, and the time that so many tokens of input took before."""
    rows = {"a": model("2", EMBEDS)}
    calls = [(100 + tokens, tokens) for tokens in (100, 200, 400, 800)] * 3
    health = Health()
    for ms, tokens in calls:
        health = health.after(True, ms, tokens, NOW)  # noqa: FBT003 - as in the ledger's words
    request = RoutingRequest.from_embeddings({"model": "any", "input": [1] * 600})
    [candidate] = planned(rows, request=request, health={"a": health}).candidates
    assert candidate.cost_microusd == 1200
    assert candidate.latency_ms == pytest.approx(700, rel=0.1)


@pytest.mark.parametrize(
    ("fields", "asked", "tried"),
    [
        ({}, "any", {"a", "b"}),
        ({"providers": {"b"}}, "any", {"b"}),
        ({"models": {"any"}}, "any", {"a", "b"}),
        ({"models": {"a/m"}}, "any", {"a"}),
        ({"models": {"m"}}, "any", {"a", "b"}),
        ({"models": {"a/m"}, "providers": {"a", "c"}}, "m", {"a"}),
    ],
)
def test_a_key_narrows_the_plan(fields, asked, tried):
    """Candidates are those the key allows by the name asked for, the deployment or the model; the others say why."""
    key = AccessKey("key_1", "t", **{name: frozenset(words) for name, words in fields.items()})
    made = planned_for(key, asked)
    assert {candidate.deployment.provider for candidate in made.candidates} == tried
    assert {left.provider: left.reason.partition("'s ")[0] for left in made.exclusions} == dict.fromkeys(
        {"a", "b"} - tried, "not among the key"
    )


@pytest.mark.parametrize(
    ("fields", "asked", "error"),
    [
        ({"models": {"any"}}, "a/m", ModelNotAllowed),
        ({"models": {"other"}}, "any", ModelNotAllowed),
        ({"models": {"a/m"}, "providers": {"b"}}, "any", NoCandidates),
        ({"providers": {"c"}}, "any", NoCandidates),
    ],
)
def test_what_a_key_allows_nobody_for_is_refused(fields, asked, error):
    """403 where it is the model alone, else the reasons of all."""
    key = AccessKey("key_1", "t", **{name: frozenset(words) for name, words in fields.items()})
    with pytest.raises(error):
        planned_for(key, asked)


def planned_for(key, asked):
    """The plan of a request that came with `key`; "a" and "b" have the model "m", which "any" stands for."""
    found = catalogue({"a": model(), "b": model()})
    return plan(RoutingRequest(asked), EVERYONE, BALANCED, found, Snapshot(), NOW, Random(1), key)
