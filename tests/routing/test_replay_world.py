"""What a replayed call meets: its own record first, then what was near, then what there is."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.asked import Asked
from routing.errors import ProviderFailed
from routing.job import AttemptStatus, Usage
from routing.replay_world import NEAR_S, Basis, World
from routing.trace import TracedAttempt
from tests.support.traces import START, Site, jobs

[TEMPLATE] = jobs({"a": Site()}, 1)


def job(job_id="job_x", *attempts, **changes):
    return replace(TEMPLATE, id=job_id, attempts=attempts, **changes)


def call(at_s, ms=10.0, code=None, provider="a"):
    status = AttemptStatus.COMPLETED if code is None else AttemptStatus.FAILED
    return TracedAttempt(provider, "m", status, START + at_s, ms, code)


def world_of(*known):
    world = World()
    for one in known:
        world.learn(one)
    world.settle()
    return world


def test_own_calls_come_first_and_in_order():
    """The k-th call to a deployment is the job's own k-th there; further ones are drawn."""
    mine = job("job_1", call(0, 1.0, "provider_failed"), call(1, 2.0, provider="b"), call(2, 3.0))
    world = world_of(mine, job("job_2", call(3, 4.0)))
    first, basis = world.outcome(mine, "a/m", 0, START + 500, 0)
    assert (first.duration_ms, first.error, basis) == (1.0, ProviderFailed, Basis.OWN)
    assert world.outcome(mine, "a/m", 1, START, 0)[0].duration_ms == 3.0
    assert world.outcome(mine, "b/m", 0, START, 0)[0].duration_ms == 2.0
    assert world.outcome(mine, "a/m", 2, START, 0)[1] is Basis.NEAR


@given(
    st.lists(st.floats(0, 5000), min_size=1, max_size=120),
    st.floats(-1000, 6000),
    st.integers(0, 50),
)
@example([0.0] * 24 + [604.0, 607.0], 303.0, 1)
def test_draws_are_near_where_anything_is(times, now_s, seed):
    """A draw is within the window whenever a call is; else it is among the 25 nearest on the nearer side."""
    world = world_of(*(job(f"job_{index}", call(at_s)) for index, at_s in enumerate(times)))
    drawn, basis = world.outcome(job("job_new"), "a/m", 0, START + now_s, seed)
    gaps = sorted(abs(START + at_s - (START + now_s)) for at_s in times)
    gap = abs(drawn.started_at - (START + now_s))
    if gaps[0] <= NEAR_S:
        assert basis is Basis.NEAR
        assert gap <= NEAR_S
    else:
        assert basis is Basis.FAR
        before = drawn.started_at < START + now_s
        side = sorted(abs(START + at_s - (START + now_s)) for at_s in times if (at_s < now_s) == before)
        assert side[0] == gaps[0], "the nearer side"
        assert gap <= side[min(len(side), 25) - 1]
    assert world.outcome(job("job_new"), "a/m", 0, START + now_s, seed) == (drawn, basis)


def test_draws_follow_the_failures_nearby():
    """Where half of the calls nearby failed, about half of the draws do, and none where none did."""
    good = [job(f"job_g{index}", call(index)) for index in range(100)]
    bad = [
        job(f"job_b{index}", call(2000 + index, code="provider_failed" if index % 2 else None)) for index in range(100)
    ]
    world = world_of(*good, *bad)

    def failures(at_s):
        drawn = (world.outcome(job(f"job_{index}"), "a/m", 0, START + at_s, 0)[0] for index in range(2000))
        return sum(one.error is not None for one in drawn)

    assert failures(50) == 0
    assert failures(2050) == pytest.approx(1000, abs=120)


def test_what_says_nothing_of_a_provider_is_not_drawn():
    """Refusals are their request's, lost workers nobody's, and how a cut call would have ended nobody knows."""
    lost = replace(call(0, 99.0), status=AttemptStatus.LOST)
    cut = replace(call(0, 99.0), status=AttemptStatus.CANCELLED)
    assert world_of(job("job_4", cut)).is_empty
    refused = job("job_1", call(0, 99.0, "provider_refused"))
    long = job("job_2", call(0, 99.0, "context_length_exceeded"))
    assert world_of(refused, long, job("job_3", lost)).is_empty
    world = world_of(refused, long, job("job_3", lost, call(1, 5.0)))
    assert {world.outcome(job(f"job_n{index}"), "a/m", 0, START, 0)[0].duration_ms for index in range(50)} == {5.0}
    # The lost call of its own is not met again either.
    assert world.outcome(job("job_3", lost, call(1, 5.0)), "a/m", 0, START, 0)[0].duration_ms == 5.0


def test_an_unknown_code_is_a_failure():
    """A code this version does not know counts as the provider's failure."""
    one = job("job_1", call(0, 1.0, "something_new"))
    assert world_of(one).outcome(one, "a/m", 0, START, 0)[0].error is ProviderFailed


def test_an_embeddings_tokens_are_its_inputs():
    """A call that made vectors is measured by what it was given, one that wrote an answer by the answer."""
    usage = Usage(prompt_tokens=700, completion_tokens=0)
    embedding = job("job_1", call(0), asked=Asked(650, 0, ("embeddings",)), usage=usage)
    written = job("job_2", call(0), usage=Usage(700, 30))
    world = world_of(embedding, written)
    assert world.outcome(embedding, "a/m", 0, START, 0)[0].tokens == 700
    assert world.outcome(written, "a/m", 0, START, 0)[0].tokens == 30
