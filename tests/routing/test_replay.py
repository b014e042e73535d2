"""A trace through a policy: every job ends once, the same seed gives the same, and policies do what they say."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.breaker import BreakerConfig
from config.policy import DEFAULT_WEIGHTS, PolicyConfig, PolicyWeights
from config.tenant import Tenant, TenantFeatures
from routing.asked import Asked
from routing.catalogue import Exclusion
from routing.job import AttemptStatus, JobStatus
from routing.preferences import Sort
from routing.replay import Replay
from routing.replay_tally import Tally
from routing.replay_world import World
from routing.trace import TracedJob
from routing.trace_fields import TraceError
from tests.support.traces import START, Site, jobs

POLICIES = {name: PolicyConfig(name, name, weights, 0.9) for name, weights in DEFAULT_WEIGHTS.items()}
BALANCED = POLICIES["balanced"]
COST_ONLY = PolicyConfig("cheap", "cost-optimized", PolicyWeights(1.0, 0.0, 0.0))
LATENCY_ONLY = PolicyConfig("quick", "performance-first", PolicyWeights(0.0, 1.0, 0.0))


def world_of(trace):
    world = World()
    for job in trace:
        world.learn(job)
    world.settle()
    return world


def replayed(trace, policy=BALANCED, *, seed=0, tenants=None, breaker=None, learnt_from=None):
    trace = list(trace)
    world = world_of(learnt_from or trace)
    return Replay(world, policy, tenants or {}, breaker or BreakerConfig(), seed).run(trace)


def recorded(trace):
    tally = Tally("recorded")
    for job in trace:
        tally.recorded(job)
    return tally.result()


sites = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(
        Site,
        price=st.sampled_from(["0.1", "1", "10"]),
        ms=st.floats(1, 30_000),
        failures=st.floats(0, 1),
        down=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    ),
    min_size=1,
    max_size=4,
)
traces = st.builds(
    lambda known, number, seed, gap_s: list(jobs(known, number, seed=seed, gap_s=gap_s)),
    sites,
    st.integers(1, 60),
    st.integers(0, 99),
    st.sampled_from([0.0, 0.5, 20.0]),
)
policies = st.sampled_from(list(POLICIES.values()))


@settings(deadline=None)
@given(traces, policies, st.integers(0, 3))
def test_every_job_ends_once_and_the_seed_decides(trace, policy, seed):
    """All jobs are counted once, shares are of the answers and sum to 1, and the same again gives the same."""
    found = replayed(trace, policy, seed=seed)
    assert found.jobs == len(trace)
    assert 0 <= found.completed <= found.jobs
    assert sum(found.shares.values()) == pytest.approx(1 if found.completed else 0)
    assert found.shares.keys() <= {candidate.deployment.provider for job in trace for candidate in job.candidates}
    assert found.failed_calls == found.calls - found.completed
    if found.rests_on:
        assert sum(found.rests_on.values()) == pytest.approx(1, abs=1e-5)
    assert replayed(trace, policy, seed=seed) == found


@settings(deadline=None)
@given(
    *(st.floats(20, 400), st.floats(20, 400), st.integers(0, 9)),
    st.sampled_from([("1", "9"), ("0.5", "2"), ("3", "3.5")]),
)
def test_cost_alone_goes_to_the_cheaper(cheap_ms, dear_ms, seed, prices):
    """Where both are well, a policy of cost alone is answered by the cheaper, and never costs more than the trace."""
    known = {"cheap": Site(prices[0], cheap_ms), "dear": Site(prices[1], dear_ms)}
    trace = list(jobs(known, 40, seed=seed))
    found = replayed(trace, COST_ONLY, seed=seed)
    assert found.cost_microusd <= recorded(trace).cost_microusd
    # The draw among near-equals is the planner's: only a price that is clearly lower takes all.
    if prices != ("3", "3.5"):
        assert found.shares == {"cheap": 1.0}


def test_latency_alone_goes_to_the_faster():
    """A policy of latency alone finds the faster once both were measured."""
    known = {"fast": Site(ms=50), "slow": Site(ms=900)}
    found = replayed(jobs(known, 300), LATENCY_ONLY)
    assert found.shares["fast"] > 0.9
    assert found.latency_ms[50] < 70


def test_the_policy_that_made_a_trace_makes_it_again():
    """Equals share a trace evenly under `balanced`, and its replay too, with figures near those recorded."""
    trace = list(jobs({"a": Site(ms=100), "b": Site(ms=102)}, 2000))
    was, found = recorded(trace), replayed(trace)
    for provider in ("a", "b"):
        assert found.shares[provider] == pytest.approx(was.shares[provider], abs=0.08)
    assert found.cost_microusd == pytest.approx(was.cost_microusd, rel=0.01)
    for share in (50, 90, 95):
        assert found.latency_ms[share] == pytest.approx(was.latency_ms[share], rel=0.05)


def test_what_was_recorded_is_not_guessed():
    """Where the policy chooses as the trace did, the job's own calls are what it meets, to the millisecond."""
    trace = list(jobs({"a": Site(failures=0.1)}, 200))
    was, found = recorded(trace), replayed(trace)
    first_failed = sum(job.attempts[0].status is AttemptStatus.FAILED for job in trace)
    assert first_failed > 0
    assert found.rests_on["own"] == pytest.approx(200 / found.calls)
    # A second try is made here, and was not recorded there.
    assert found.completed >= was.completed
    assert found.calls == 200 + first_failed


def test_a_blackout_is_met_by_failover_and_breakers():
    """Jobs of an outage are answered elsewhere; breakers spare calls that are otherwise spent on who is down."""
    known = {"dear": Site("9"), "cheap": Site("1", down=(100, 280))}
    trace = list(jobs(known, 1000))
    held = replayed(trace, COST_ONLY)
    bare = replayed([replace(job, circuit_breaker=False) for job in trace], COST_ONLY)
    assert held.completed == bare.completed == 1000
    assert 10 <= held.failed_calls < bare.failed_calls / 4
    # It went back to the cheaper one after the outage.
    assert held.shares["cheap"] > 0.3


def test_who_was_passed_over_may_be_chosen():
    """A candidate that a breaker shut out when the job was planned is one again in a replay."""
    known = {"dear": Site("9"), "cheap": Site("1")}
    trace = list(jobs(known, 50))
    shut = Exclusion("cheap", "m", "circuit breaker open for another 8 s")
    alone = [replace(job, candidates=job.candidates[:1], passed_over=()) for job in trace]
    alone = [job for job in alone if job.candidates[0].deployment.provider == "dear"]
    assert replayed(alone, COST_ONLY, learnt_from=trace).shares == {"dear": 1.0}
    passed = [replace(job, passed_over=(shut,)) for job in alone]
    assert replayed(passed, COST_ONLY, learnt_from=trace).shares == {"cheap": 1.0}


def test_wishes_stand_above_the_policy():
    """A caller's order, sort and models decide as they do in earnest, whatever the policy weighs."""
    known = {"dear": Site("9", ms=20), "cheap": Site("1", ms=500)}
    trace = list(jobs(known, 60))

    def wishing(**wishes):
        return [replace(job, asked=replace(job.asked, **wishes)) for job in trace]

    assert replayed(wishing(order=("dear",)), COST_ONLY).shares == {"dear": 1.0}
    assert replayed(wishing(sort=Sort.PRICE), LATENCY_ONLY).shares == {"cheap": 1.0}
    places = {"dear": 0, "cheap": 1_000_000}
    listed = [
        replace(
            job,
            asked=replace(job.asked, models=("other",)),
            candidates=tuple(replace(row, tier=places[row.deployment.provider]) for row in job.candidates),
        )
        for job in trace
    ]
    assert replayed(listed, COST_ONLY).shares == {"dear": 1.0}


def test_a_tenants_preference_holds():
    """The tenant's own provider goes first in a replay, and without failover it is the only one."""
    known = {"dear": Site("9", failures=0.3), "cheap": Site("1")}
    trace = [replace(job, circuit_breaker=False, max_tries=1) for job in jobs(known, 100)]
    prefers = Tenant("t", primary_provider="dear")
    firm = replace(prefers, features=TenantFeatures(failover=False))
    by_preference = PolicyConfig("any", "balanced", DEFAULT_WEIGHTS["balanced"])
    gone = replayed(trace, by_preference, tenants={"t": firm})
    assert gone.shares == {"dear": 1.0}
    assert gone.completed == gone.calls - gone.failed_calls < 100
    kept = replayed(trace, by_preference, tenants={"t": prefers})
    assert kept.shares["dear"] == pytest.approx(gone.completed / 100)
    assert kept.completed == 100


def test_a_refusal_goes_with_its_request():
    """A request that was refused is refused by whoever is asked, and by nobody twice."""
    known = {"dear": Site("9"), "cheap": Site("1")}
    trace = list(jobs(known, 40))
    refused = [
        replace(
            job,
            status=JobStatus.FAILED,
            usage=None,
            attempts=(replace(job.attempts[0], status=AttemptStatus.FAILED, error_code="provider_refused"),),
        )
        for job in trace[::2]
    ]
    found = replayed(sorted([*refused, *trace[1::2]], key=lambda job: job.created_at), COST_ONLY)
    assert (found.completed, found.failed_calls) == (20, 20)


def test_a_deadline_ends_a_job():
    """No call outlasts the deadline, and none begins after it."""
    trace = [replace(job, deadline_s=0.05) for job in jobs({"a": Site(ms=1000), "b": Site(ms=1000)}, 20)]
    found = replayed(trace)
    assert (found.completed, found.jobs) == (0, 20)
    assert found.calls == 20


def test_rate_limits_lead_elsewhere_or_wait():
    """A 429 sends a job to the next candidate at once; one without another waits at least a second for its room."""
    limited = [
        replace(job, attempts=(_limited(job.attempts[0]), *job.attempts)) for job in jobs({"a": Site()}, 10, gap_s=3)
    ]
    waited = replayed(limited)
    assert (waited.completed, waited.calls, waited.failed_calls) == (10, 20, 10)
    hurried = replayed([replace(job, deadline_s=0.9) for job in limited])
    assert (hurried.completed, hurried.calls) == (0, 10)
    both = [
        replace(job, deadline_s=0.9, attempts=(_limited(job.attempts[0]), *job.attempts[1:]))
        for job in jobs({"a": Site(failures=1), "b": Site()}, 40, gap_s=3)
        if job.attempts[0].provider == "a"
    ]
    moved = replayed([replace(job, asked=replace(job.asked, order=("a",))) for job in both])
    assert (moved.completed, moved.failed_calls, moved.shares) == (len(both), len(both), {"b": 1.0})


def _limited(attempt):
    return replace(
        attempt, status=AttemptStatus.FAILED, error_code="provider_rate_limited", cost_microusd=None, duration_ms=5.0
    )


def test_an_old_record_is_filled_in():
    """A job that does not tell what it asked is planned by the prompt its usage tells."""
    trace = [replace(job, asked=None) for job in jobs({"cheap": Site("1"), "dear": Site("9")}, 20)]
    assert replayed(trace, COST_ONLY).shares == {"cheap": 1.0}


def test_who_was_never_called_is_a_guess():
    """A deployment without a call in the trace is guessed from the others, and the result says how much is."""
    trace = [
        replace(job, candidates=(*job.candidates, replace(job.candidates[0], deployment=Site("0.1").deployment("new"))))
        for job in jobs({"a": Site("1")}, 30)
    ]
    found = replayed(trace, COST_ONLY)
    assert found.shares == {"new": 1.0}
    assert found.rests_on == {"own": 0.0, "near": 0.0, "far": 0.0, "guess": 1.0}


def test_the_clock_of_a_trace_may_stand():
    """Jobs of one moment, and an unknown price, are no trouble."""
    trace = list(jobs({"a": Site()}, 30, gap_s=0))
    unpriced = replace(trace[0].candidates[0], deployment=replace(trace[0].candidates[0].deployment, price=None))
    trace[0] = replace(trace[0], candidates=(unpriced,), asked=Asked())
    found = replayed(trace)
    assert (found.completed, found.unpriced) == (30, 1)
    assert trace[-1].created_at == START


FIGURES = (
    *("created_at", "deadline_s", "asked.prompt_tokens", "asked.max_tokens", "asked.preferred_max_latency_ms.0.1"),
    *("attempts.0.duration_ms", "attempts.0.started_at", "attempts.0.cost_microusd", "usage.completion_tokens"),
    *("usage.cached_tokens", "candidates.0.price", "candidates.0.tier", "candidates.0.context_length", "max_tries"),
)
extremes = st.sampled_from([0, 1, 1e-9, 1e9, 10**15, 1e11, 2_592_000.0, 1e300])


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIGURES), extremes), max_size=4), policies, st.integers(0, 9))
def test_figures_at_their_edges_are_replayed_or_refused(changes, policy, seed):
    """Whatever figures a trace tells, each of its jobs ends, or its line is refused."""
    made = [
        replace(job, asked=replace(job.asked, preferred_max_latency_ms=((0.5, 90.0),)))
        for job in jobs({"a": Site(failures=0.5), "b": Site("9")}, 6, seed=seed)
    ]
    try:
        trace = [TracedJob.from_line(json.dumps(_changed(json.loads(job.to_line()), changes)).encode()) for job in made]
    except TraceError:
        return
    found = replayed(sorted([*trace, *made], key=lambda job: job.created_at), policy)
    assert found.jobs == 12


def _changed(wire, changes):
    """The wire form with other figures at dotted places."""
    for place, figure in changes:
        *path, last = (int(step) if step.isdigit() else step for step in place.split("."))
        inner = wire if place.partition(".")[0] != "usage" or "usage" in wire else {"usage": {}}
        for step in path:
            inner = inner[step]
        inner[last] = [str(figure), str(figure), None, "config", []] if last == "price" else figure
    return wire
