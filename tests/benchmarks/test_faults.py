"""The benchmark of faults: what it holds against a run (tests/faults/test_batch_kill.py is one, shorter)."""

from dataclasses import replace

import pytest

from benchmarks.faults.verdict import Result, problems

WHOLE = Result(
    lines=3,
    status="completed",
    request_counts={"total": 3, "completed": 3, "failed": 0},
    answered=["line-2", "line-0", "line-1"],
    calls=4,
    jobs=["job_a"],
    refused=[],
    webhooks={"job_a": 2, "batch_1": 1},
    batch_id="batch_1",
    left=0,
)


def test_a_whole_run_leaves_nothing_to_say():
    """Each line once, each webhook at least once."""
    assert problems(WHOLE) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "expired"}, "the batch is expired"),
        ({"answered": ["line-0", "line-0", "line-1"]}, "1 lines were answered more than once, such as line-0"),
        ({"answered": ["line-0", "line-1"]}, "1 lines are missing, such as line-2"),
        ({"webhooks": {"job_a": 1}}, "1 webhooks are missing, such as batch_1"),
        ({"refused": ["500: no"]}, "a job was refused: 500: no"),
        ({"calls": 5}, "1 calls were wasted"),
        ({"left": 1}, "1 jobs are left"),
    ],
)
def test_each_broken_promise_is_named(changes, words):
    """Whatever is missing or too much is a finding of its own."""
    assert any(problem.startswith(words) for problem in problems(replace(WHOLE, **changes)))
