"""kill -9 of a worker that has two calls under way for one job."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.hedging import hedged_configuration, make_known, told
from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]


def test_a_killed_workers_hedged_jobs_are_answered_once(start_stack, tmp_path):
    """Both calls of each job are on record as lost, and each is answered by one completed call after the rescue."""
    jobs = 20
    folder = hedged_configuration(tmp_path / "hedged")
    stack = start_stack(providers=("groq", "hugging-face"), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    make_known(stack)
    stack.sandbox.behave("*", latency_ms=60_000)
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(stack.post, chat(f"job {number}", model="pair")) for number in range(jobs)]
        wait_until(lambda: stack.sandbox.calls()["in_flight"] == 2 * jobs, what="two calls for each job")
        stack.workers["groq"].kill()
        stack.sandbox.behave("*", latency_ms=0)
        stack.workers["groq"].start()
        answers = [answer.result() for answer in waiting]
    assert [answer.status_code for answer in answers] == [200] * jobs
    for answer in answers:
        story = told(answer.json()["routing_metadata"]["attempts"])
        assert story[:2] == [("groq", "lost", False), ("hugging-face", "lost", True)]
        assert [status for _, status, _ in story[2:]].count("completed") == 1
    witness = stack.sandbox.calls(log=True)
    assert witness["completed_by_marker"] == {f"job {number}": 1 for number in range(jobs)}
    assert stack.jobs_left() == 0
