"""The learnt bound on calls under way."""

import time

import gevent
from hypothesis import given
from hypothesis import strategies as st

from workers.concurrency import HOLD_S, UNBOUND, AdaptiveConcurrency


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def overwhelmed(clock, calls=20, takes=5):
    """A bound after `calls` at once to a provider that takes `takes`."""
    learnt = AdaptiveConcurrency(clock)
    places = [learnt.begin(1) for _ in range(calls)]
    if isinstance(clock, Clock):
        clock.now += 0.1
    for place in places[takes:]:
        learnt.end(place, crowded=True)
    for place in places[:takes]:
        learnt.end(place, crowded=False)
    return learnt


def test_nobody_is_bound_before_a_refusal():
    """Without refusals there is no bound that a worker could meet."""
    assert AdaptiveConcurrency(Clock()).bound == UNBOUND


def test_the_first_refusals_show_what_is_taken():
    """After a burst the bound is the number of calls that were not refused."""
    assert overwhelmed(Clock()).bound == 5


def test_a_later_refusal_lowers_it_by_one():
    """A single refusal, of a call that began after the burst, costs one place."""
    clock = Clock()
    learnt = overwhelmed(clock)
    clock.now += 1
    learnt.end(learnt.begin(1), crowded=True)
    assert learnt.bound == 4


def test_a_burst_leaves_two_thirds_of_a_bound_that_stood():
    """A provider that suddenly takes far less is found in a few steps, not by one unlucky moment."""
    clock, bounds = Clock(), []
    learnt = overwhelmed(clock, calls=100, takes=50)
    while learnt.bound > 5:
        places = [learnt.begin(1) for _ in range(learnt.bound)]
        clock.now += 0.1
        for place in places[5:]:
            learnt.end(place, crowded=True)
        for place in places[:5]:
            learnt.end(place, crowded=False)
        bounds.append(learnt.bound)
    assert bounds == [35, 24, 16, 11, 7, 5]


def test_more_is_tried_after_a_while():
    """One more each time the bound has held, a tenth more of many."""
    clock = Clock()
    learnt = overwhelmed(clock)
    clock.now += HOLD_S
    assert [learnt.bound, learnt.bound] == [6, 6]
    wide = overwhelmed(clock, calls=100, takes=50)
    clock.now += HOLD_S
    assert wide.bound == 55


def test_who_comes_to_a_crowd_waits_for_a_place():
    """A call begins when another has ended, and not before."""
    learnt = overwhelmed(Clock(), takes=1)
    first, order = learnt.begin(1), []
    waiting = gevent.spawn(lambda: order.append(learnt.begin(5)))
    gevent.sleep(0.01)
    assert (learnt.crowded, order) == (True, [])
    learnt.end(first, crowded=False)
    waiting.join(timeout=5)
    assert len(order) == 1


def test_nobody_waits_for_a_place_for_ever():
    """Where none comes within the job's time, nothing has begun."""
    learnt = overwhelmed(time.monotonic, takes=1)
    first = learnt.begin(1)
    assert learnt.begin(0.01) is None
    learnt.end(first, crowded=False)
    assert not learnt.crowded


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 20)), max_size=200))
def test_it_is_never_less_than_one(steps):
    """Whatever comes, one call may be under way."""
    clock = Clock()
    learnt, places = AdaptiveConcurrency(clock), []
    for begin, crowded, seconds in steps:
        clock.now += seconds
        if (begin or not places) and not learnt.crowded:
            places.append(learnt.begin(1))
        elif places:
            learnt.end(places.pop(), crowded=crowded)
        assert 1 <= learnt.bound <= UNBOUND
