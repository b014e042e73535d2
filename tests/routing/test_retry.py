"""The retry decision, row by row of the table of failures."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import (
    ContextLengthExceeded,
    MalformedAnswer,
    NextStep,
    NotExpressible,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from routing.retry import Decision, around_breaker, decide, give_up_or_wait

TRANSIENT = [ProviderUnreachable, ProviderTimeout, ProviderFailed, MalformedAnswer]
OURS = [ProviderMisconfigured, ContextLengthExceeded, NotExpressible]
EVERY = [*TRANSIENT, *OURS, ProviderRateLimited, ProviderRefused]


def step(kind, *, tries=1, remaining_s=100.0, has_next=True, retry_after_s=None, defers=0):
    """The step after a failure of `kind`."""
    error = kind("failed", retry_after_s=retry_after_s)
    return decide(error, tries=tries, remaining_s=remaining_s, has_next=has_next, rng=Random(1), defers=defers).step


@pytest.mark.parametrize("kind", TRANSIENT)
def test_transient_failure(kind):
    """Tried again while tries are left, then the next candidate, then the end."""
    assert step(kind) is NextStep.RETRY
    assert step(kind, tries=2) is NextStep.FAILOVER
    assert step(kind, tries=2, has_next=False) is NextStep.STOP


def test_a_provider_that_asks_to_wait_long():
    """A long Retry-After is not waited for in a worker: the next candidate, else later, else the end."""
    assert step(ProviderFailed, retry_after_s=2) is NextStep.RETRY
    assert step(ProviderFailed, retry_after_s=30) is NextStep.FAILOVER
    assert step(ProviderFailed, retry_after_s=30, has_next=False) is NextStep.DEFER
    assert step(ProviderFailed, retry_after_s=300) is NextStep.FAILOVER
    assert step(ProviderFailed, retry_after_s=300, has_next=False) is NextStep.STOP


def test_rate_limit():
    """The job gives way, whoever is left: who has room, and whether in time, is the ledger's to say."""
    for has_next in (True, False):
        assert step(ProviderRateLimited, has_next=has_next) is NextStep.DEFER
        assert step(ProviderRateLimited, has_next=has_next, tries=9, retry_after_s=600) is NextStep.DEFER


@pytest.mark.parametrize("kind", OURS)
def test_failure_that_will_not_pass(kind):
    """What would fail again in the same way goes to the next candidate at once, or ends."""
    assert step(kind) is NextStep.FAILOVER
    assert step(kind, has_next=False) is NextStep.STOP


def test_refusal_stops():
    """A refused request is not tried elsewhere."""
    assert step(ProviderRefused) is NextStep.STOP


@pytest.mark.parametrize("kind", EVERY)
def test_after_the_deadline_nothing_begins(kind):
    """At the deadline every failure is the end."""
    assert step(kind, remaining_s=0) is NextStep.STOP


def test_waits_grow_and_are_spread():
    """Waits without a Retry-After grow with each deferral; with one they are never shorter than it."""

    def waits(**fields):
        error = ProviderRateLimited("full", retry_after_s=fields.pop("retry_after_s", None))
        rng = Random(3)
        return [decide(error, tries=1, remaining_s=1e6, has_next=False, rng=rng, **fields).delay_s for _ in range(50)]

    assert max(waits(defers=0)) < min(waits(defers=1)) < max(waits(defers=20)) <= 33
    assert min(waits(retry_after_s=10)) >= 10
    assert len(set(waits(retry_after_s=10))) == 50


@given(
    kind=st.sampled_from(EVERY),
    tries=st.integers(1, 50),
    max_tries=st.integers(1, 50),
    remaining_s=st.floats(-10, 1e4),
    has_next=st.booleans(),
    retry_after_s=st.none() | st.floats(0, 1e5),
    defers=st.integers(0, 10_000),
    seed=st.integers(0, 2**32),
    more=st.fixed_dictionaries(
        {"probe": st.booleans(), "shut": st.booleans(), "budget": st.booleans(), "earlier": st.integers(0, 50)}
    ),
)
def test_no_step_goes_past_the_deadline(
    kind, tries, max_tries, remaining_s, has_next, retry_after_s, defers, seed, more
):
    """A wait ends before the deadline, is never shorter than asked, and a step is only taken where it is possible."""
    decision = decide(
        kind("failed", retry_after_s=retry_after_s),
        tries=tries,
        max_tries=max_tries,
        remaining_s=remaining_s,
        has_next=has_next,
        defers=defers,
        rng=Random(seed),
        **more,
    )
    assert decision.reason
    in_place = more["budget"] and not (more["shut"] or more["probe"])
    assert decision.step is not NextStep.RETRY or in_place
    if decision.step in (NextStep.RETRY, NextStep.DEFER):
        assert (retry_after_s or 0) <= decision.delay_s
        # After a rate limit the ledger looks for somebody else first.
        assert decision.delay_s < remaining_s or kind is ProviderRateLimited
    else:
        assert decision.delay_s == 0
    assert decision.step is not NextStep.FAILOVER or has_next
    assert decision.step is not NextStep.RETRY or tries < max_tries


@pytest.mark.parametrize("has_next", [True, False])
@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_probe_is_not_made_again_in_place(kind, has_next):
    """Where another call would be tried again, a probe goes to the next candidate, else it waits for the breaker."""
    error = kind("failed")
    known = {"remaining_s": 100.0, "has_next": has_next}
    assert decide(error, tries=1, rng=Random(1), **known).step is NextStep.RETRY
    after = NextStep.FAILOVER if has_next else NextStep.DEFER
    assert decide(error, tries=1, rng=Random(1), probe=True, **known).step is after
    assert decide(error, tries=2, rng=Random(1), probe=True, **known) == decide(error, tries=2, rng=Random(1), **known)


@pytest.mark.parametrize("kind", TRANSIENT)
@pytest.mark.parametrize("hindrance", [{"budget": False}, {"shut": True}])
def test_no_retry_in_place(kind, hindrance):
    """Without a budget, or past a breaker that has opened, the next candidate is called; without one the job waits."""
    known = {"tries": 1, "remaining_s": 100.0, "rng": Random(1), **hindrance}
    assert decide(kind("failed"), has_next=True, **known).step is NextStep.FAILOVER
    later = decide(kind("failed"), has_next=False, **known)
    assert later.step is NextStep.DEFER
    assert later.delay_s <= 0.2, "the back-off is the same as in place"


def test_tries_of_earlier_runs_count():
    """A job that was put off for want of a budget does not begin its tries anew."""
    known = {"tries": 1, "max_tries": 3, "remaining_s": 100.0, "has_next": False, "rng": Random(1), "budget": False}
    steps = [decide(ProviderFailed("failed"), earlier=earlier, **known).step for earlier in range(4)]
    assert steps == [NextStep.DEFER, NextStep.DEFER, NextStep.STOP, NextStep.STOP]


def test_waiting_for_somebody_spends_no_tries():
    """Who waits for a breaker, or as long as the provider asked, may do so whatever earlier runs met."""
    known = {"tries": 1, "remaining_s": 100.0, "has_next": False, "rng": Random(1), "earlier": 9}
    assert decide(ProviderFailed("failed", retry_after_s=30), **known).step is NextStep.DEFER
    assert decide(ProviderFailed("failed"), shut=True, **known).step is NextStep.DEFER
    assert decide(ProviderFailed("failed"), probe=True, **known).step is NextStep.DEFER
    assert decide(ProviderFailed("failed"), **known).step is NextStep.STOP


def test_around_an_open_breaker():
    """At once to who may be called; else the wait, if the deadline allows it; doubling where nobody knows."""
    rng = Random(1)
    assert around_breaker(0, remaining_s=1, defers=9, rng=rng).step is NextStep.FAILOVER
    known = around_breaker(7, remaining_s=60, defers=5, rng=rng)
    assert known.step is NextStep.DEFER
    assert 7 <= known.delay_s <= 7.7
    assert around_breaker(60, remaining_s=60, defers=0, rng=rng).step is NextStep.STOP
    for defers, wait_s in ((0, 1), (3, 8), (20, 30)):
        assert wait_s <= around_breaker(None, remaining_s=60, defers=defers, rng=rng).delay_s <= wait_s * 1.1


@given(st.none() | st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 1000), st.integers(0, 99))
def test_no_detour_reaches_the_deadline(wait_s, remaining_s, defers, seed):
    """A job is never put off to its deadline or beyond."""
    decision = around_breaker(wait_s, remaining_s=remaining_s, defers=defers, rng=Random(seed))
    assert decision.step is not NextStep.DEFER or (wait_s or 0) <= decision.delay_s < remaining_s


STOPPED = Decision(NextStep.STOP, 0.0, "no candidate is left")


def last_step(kind, rounds, remaining_s=3600.0, rng=None):
    """The step after the last candidate's failure, of a job that has begun again `rounds` times."""
    return give_up_or_wait(kind("failed"), STOPPED, rounds=rounds, remaining_s=remaining_s, rng=rng or Random(1))


@pytest.mark.parametrize("kind", TRANSIENT)
def test_who_can_wait_begins_again(kind):
    """Five rounds in all, ever further apart, some minutes together."""
    steps = [last_step(kind, rounds) for rounds in range(5)]
    assert [decision.step for decision in steps] == [NextStep.DEFER] * 4 + [NextStep.STOP]
    assert all(decision.afresh for decision in steps[:4])
    delays = [decision.delay_s for decision in steps[:4]]
    assert delays == sorted(delays)
    assert 120 < sum(delays) < 300


@pytest.mark.parametrize("kind", [*OURS, ProviderRefused])
def test_what_will_not_pass_is_not_waited_for(kind):
    """Another round would fail as this one did."""
    assert last_step(kind, 0) is STOPPED


def test_who_cannot_wait_is_told_at_once():
    """A job somebody waits for has no second round, nor has one whose deadline comes before it."""
    assert last_step(ProviderFailed, None) is STOPPED
    assert last_step(ProviderFailed, 0, remaining_s=4.0) is STOPPED
