"""kill -9 of each part in the middle of running jobs: everything accepted is answered, each once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
JOBS = 200


def running(stack, calls):
    """Whether the provider is at work on this many calls."""
    return stack.sandbox.calls()["in_flight"] == calls


def test_a_killed_apis_jobs_go_on(start_stack):
    """Callers whose API process was killed find their jobs again by key and by id; nothing is paid for twice."""
    stack = start_stack()
    stack.sandbox.behave("groq", latency_ms=3000)
    background = stack.post(chat("by id", background=True)).json()["id"]

    def ask(number):
        headers = {"Idempotency-Key": f"key-{number}"}
        while True:
            try:
                return stack.post(chat(f"job {number}"), headers=headers)
            except requests.ConnectionError:
                time.sleep(0.2)

    with ThreadPoolExecutor(JOBS) as pool:
        waiting = [pool.submit(ask, number) for number in range(JOBS)]
        wait_until(lambda: running(stack, JOBS + 1), what="201 running calls")
        stack.api.kill()
        stack.api.start()
        stack.api.ready()
        answers = [answer.result() for answer in waiting]
    assert [answer.status_code for answer in answers] == [200] * JOBS
    assert stack.get(f"/v1/jobs/{background}?wait=10").json()["status"] == "completed"
    witness = stack.sandbox.calls()
    assert witness["total"] == witness["completed"] == JOBS + 1
    assert stack.jobs_left() == 0


def test_an_answer_is_kept_while_redis_is_away(start_stack):
    """A call that ends during an outage is stored when Redis is back, not made again."""
    stack = start_stack()
    stack.sandbox.behave("groq", latency_ms=1500)
    job_id = stack.post(chat("paid for", background=True)).json()["id"]
    wait_until(lambda: running(stack, 1), what="the call")
    stack.redis.kill()
    wait_until(lambda: stack.sandbox.calls()["completed"] == 1, what="the provider's answer")
    stack.redis.restart()
    done = wait_until(
        lambda: (job := stack.get(f"/v1/jobs/{job_id}").json())["status"] == "completed" and job,
        what="the stored answer",
    )
    assert "paid for" in done["response"]["choices"][0]["message"]["content"]
    assert stack.sandbox.calls()["total"] == 1


def test_a_stopping_worker_finishes_what_it_runs(start_stack):
    """SIGTERM lets running jobs end, takes no new ones, and exits cleanly; what is left waits for the next worker."""
    stack = start_stack()
    stack.sandbox.behave("groq", latency_ms=2000)
    with ThreadPoolExecutor(JOBS + 1) as pool:
        waiting = [pool.submit(stack.post, chat(f"job {number}")) for number in range(JOBS)]
        wait_until(lambda: running(stack, JOBS), what="200 running calls")
        worker = stack.workers["groq"]
        worker.stop(timeout=20)
        assert worker.status == "exited"
        assert [answer.result().status_code for answer in waiting] == [200] * JOBS
        late = pool.submit(stack.post, chat("late"))
        time.sleep(0.5)
        assert not late.done()
        worker.start()
        assert late.result().status_code == 200
    witness = stack.sandbox.calls()
    assert witness["total"] == witness["completed"] == JOBS + 1
