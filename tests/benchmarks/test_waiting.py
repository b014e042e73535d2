from benchmarks.summary import Summary
from benchmarks.waiting import unmet


def test_a_burst_answered_in_time_and_paid_once_meets_everything():
    """All answers within the bound and as many provider calls as requests leave nothing to say."""
    assert unmet(Summary.of([5.1, 6.9], 7.0, {}), requests=2, calls=2, bound_s=7.0) == []


def test_each_broken_promise_is_named():
    """A missing answer, a late one and a call made twice are three findings."""
    problems = unmet(Summary.of([5.1, 7.5], 8.0, {"no answer": 1}), requests=3, calls=4, bound_s=7.0)
    assert problems == [
        "1 of 3 have no good answer",
        "the slowest took 7.50 s, more than 7 s",
        "the provider was called 4 times for 3 requests",
    ]
