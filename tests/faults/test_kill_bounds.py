"""kill -9 of parts where time matters, or where all of the machine is at work."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.process_node import WorkerNode, wait_until
from tests.support.stack import chat

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
JOBS = 200


def running(stack, calls):
    """Whether the provider is at work on this many calls."""
    return stack.sandbox.calls()["in_flight"] == calls


@pytest.mark.alone("holds the rescue to 15 s of a quiet machine")
def test_a_killed_workers_jobs_are_answered_elsewhere(start_stack):
    """200 running jobs outlive their worker: answered within 15 s of the kill, each by one completed call."""
    stack = start_stack()
    stack.sandbox.behave("groq", latency_ms=60_000)
    with ThreadPoolExecutor(JOBS) as pool:
        waiting = [pool.submit(stack.post, chat(f"job {number}")) for number in range(JOBS)]
        wait_until(lambda: running(stack, JOBS), what="200 running calls")
        stack.workers["groq-2"] = WorkerNode(["--provider", "groq"], stack.environment, "groq-2")
        stack.workers["groq-2"].ready()
        stack.sandbox.behave("groq", latency_ms=200)
        stack.workers["groq"].kill()
        killed = time.monotonic()
        answers = [answer.result() for answer in waiting]
        took_s = time.monotonic() - killed
    assert [answer.status_code for answer in answers] == [200] * JOBS
    for number, answer in enumerate(answers):
        assert f"job {number}" in answer.json()["choices"][0]["message"]["content"]
        attempts = answer.json()["routing_metadata"]["attempts"]
        assert [attempt["status"] for attempt in attempts] == ["lost", "completed"]
    assert took_s < 15
    witness = stack.sandbox.calls(log=True)
    assert witness["completed_by_marker"] == {f"job {number}": 1 for number in range(JOBS)}
    assert witness["completed"] == JOBS
    assert stack.jobs_left() == 0


@pytest.mark.alone("1,400 calls at once take the whole machine")
def test_a_killed_redis_loses_nothing_acknowledged(start_stack):
    """1,200 running jobs outlive a kill -9 of Redis: answered once each, on more descriptors than select() can take."""
    jobs = 1200
    stack = start_stack()
    stack.sandbox.behave("groq", latency_ms=6000)
    with ThreadPoolExecutor(32) as pool:
        posted = pool.map(lambda number: stack.post(chat(f"job {number}", background=True)), range(jobs))
        accepted = [answer.json()["id"] for answer in posted]
    with ThreadPoolExecutor(JOBS) as pool:
        waiting = [pool.submit(stack.post, chat(f"waiting {number}")) for number in range(JOBS)]
        wait_until(lambda: stack.job_count() == jobs + JOBS, what="all jobs")
        wait_until(lambda: running(stack, jobs + JOBS) or stack.sandbox.calls()["completed"], what="running calls")
        stack.redis.kill()
        stack.redis.restart()
        answers = [answer.result() for answer in waiting]
    assert [answer.status_code for answer in answers] == [200] * JOBS
    wait_until(lambda: stack.jobs_left() == 0, timeout_s=40, what="the end of all jobs")
    for job_id in accepted:
        assert stack.get(f"/v1/jobs/{job_id}").json()["status"] == "completed"
    witness = stack.sandbox.calls(log=True)
    assert set(witness["completed_by_marker"].values()) == {1}
    assert witness["completed"] == jobs + JOBS


@pytest.mark.alone("holds the refusal to two seconds")
def test_an_absent_redis_is_503_and_comes_back(start_stack):
    """Without Redis a request is refused within two seconds, never as a stranger's; with it the product goes on."""
    stack = start_stack()
    assert stack.post(chat("before")).status_code == 200
    stack.redis.kill()
    began = time.monotonic()
    refused = stack.post(chat("during"))
    took_s = time.monotonic() - began
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
    assert refused.headers["Retry-After"]
    assert took_s < 2
    assert stack.get("/health").status_code == 503
    assert stack.get("/livez").status_code == 200
    stack.redis.restart()
    wait_until(lambda: stack.get("/health").status_code == 200, what="health")
    assert stack.post(chat("after")).status_code == 200
    assert stack.sandbox.calls(log=True)["completed_by_marker"] == {"before": 1, "after": 1}
