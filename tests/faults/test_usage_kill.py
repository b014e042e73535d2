"""kill -9 of each part under load of every kind: what was counted as used is what the ledger says."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import count

import pytest
import requests

from config.settings import PROJECT_ROOT
from tests.support.batch import create, ended, entry
from tests.support.hedging import hedged_configuration, make_known
from tests.support.process_node import wait_until
from tests.support.stack import chat
from workers.usage.figures import NAMES, Figures, Series, total

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300), pytest.mark.alone("kills parts of a loaded product")]
CALLERS, LINES = 12, 400
MODEL = "groq/openai/gpt-oss-20b"


def asked(number, **fields):
    """A request that ends in any case while the test lasts, as expired if not otherwise."""
    return chat(f"job {number}", deadline_s=15, **fields)


def answered(stack, number):
    stack.post(asked(number, model="fast"), timeout=20)


def hedged(stack, number):
    stack.post(asked(number, model="pair"), timeout=20)


def failed(stack, number):
    stack.post(asked(number, model=MODEL, sandbox={"fault": "status", "status": 400}), timeout=20)


def failed_over(stack, number):
    stack.post(asked(number, model="pair", sandbox={"fault": "status", "status": 503, "times": 1}), timeout=20)


def streamed(stack, number):
    with stack.post(asked(number, model="fast", stream=True), stream=True, timeout=20) as response:
        assert response.content


def broken_off(stack, number):
    fault = {"text": "word " * 40, "fault": "cut", "tokens_per_s": 100}
    body = asked(number, model=MODEL, stream=True, continue_on_failover=True, sandbox=fault)
    with stack.post(body, stream=True, timeout=20) as response:
        assert response.content


def left(stack, number):
    slow = {"text": "word " * 200, "tokens_per_s": 40}
    with stack.post(asked(number, model=MODEL, stream=True, sandbox=slow), stream=True, timeout=20) as response:
        next(response.iter_content(200))


def cancelled(stack, number):
    body = asked(number, model=MODEL, background=True, sandbox={"latency_ms": 3000})
    job = stack.post(body, timeout=20).json()["id"]
    time.sleep(0.3)
    stack.post(path=f"/v1/jobs/{job}/cancel", timeout=20)


def deleted(stack, number):
    made = stack.post({"model": MODEL, "input": f"job {number}"}, path="/v1/responses", timeout=20).json()
    stack.session.delete(f"{stack.api.url}/v1/responses/{made['id']}", timeout=20)


KINDS = (answered, hedged, failed, failed_over, streamed, broken_off, left, cancelled, deleted)


@pytest.fixture
def load():
    """Callers who ask in every way, one after the other, until they are told to stop."""
    stop, threads = threading.Event(), []

    def begin(stack):
        numbers = count()

        def call():
            while not stop.is_set():
                number = next(numbers)
                # Whoever is killed breaks connections, and what it leaves is no answer.
                with suppress(requests.RequestException, LookupError, ValueError, StopIteration, AssertionError):
                    KINDS[number % len(KINDS)](stack, number)

        threads.extend(threading.Thread(target=call) for _ in range(CALLERS))
        for thread in threads:
            thread.start()

    def end():
        stop.set()
        for thread in threads:
            thread.join()

    yield begin, end
    end()


def reconcile(stack):
    """What the command finds, as it ends with 0."""
    command = [sys.executable, "-m", "cli", "usage", "reconcile"]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=stack.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def accounts(stack, kind):
    """The sum of all accounts of a kind."""
    client = stack.redis.client
    kept = [client.hgetall(key) for key in client.scan_iter(f"mr:{kind}:*", count=1000)]
    return total([Figures.parse(text) for fields in kept for name, text in fields.items() if Series.parse(name)])


def as_recorded(stack):
    """How jobs ended whose records are there, what they attempted and what that cost; nothing that was counted."""
    states, attempted, cost = Counter(), Counter(), 0
    client = stack.redis.client
    for key in client.scan_iter("mr:job:*", count=1000):
        status, attempts = client.hmget(key, "status", "attempts")
        states[status] += 1
        for attempt in json.loads(f"[{attempts or ''}]"):
            paid = attempt.get("cost_microusd") or 0
            cost += paid
            attempted[attempt["status"], "hedge" in attempt, paid > 0] += 1
    return states, attempted, cost


def test_usage_adds_up_whatever_is_killed(start_stack, tmp_path, load):
    """Workers, API and Redis die under answers, streams, failures, failovers, hedges, cancelled jobs and a batch."""
    folder = hedged_configuration(tmp_path / "hedged")
    stack = start_stack(
        providers=("groq", "google-gemini", "hugging-face"),
        background=True,
        environment={"MODEL_ROUTER_CONFIG": str(folder)},
    )
    make_known(stack)
    stack.sandbox.behave("groq", latency_ms=3000)
    for number in range(3):
        hedged(stack, f"slow {number}")
    # From here on what is stuck there is hedged, as long as it is the first to be called.
    stack.sandbox.behave("groq", fault="stall", probability=0.2, stall_s=2)
    begin, end = load
    batch = create(stack, requests=[entry(number) for number in range(LINES)])
    begin(stack)
    time.sleep(3)
    for name in ("groq", "background"):
        stack.workers[name].kill()
        stack.workers[name].start()
        time.sleep(2)
    under_way = reconcile(stack)
    stack.api.kill()
    stack.api.start()
    stack.api.ready()
    time.sleep(2)
    stack.redis.kill()
    stack.redis.restart()
    time.sleep(3)
    stack.workers["hugging-face"].kill()
    stack.workers["hugging-face"].start()
    time.sleep(2)
    end()
    batch = ended(stack, batch["id"], timeout_s=120)
    assert batch["request_counts"]["completed"] == LINES
    wait_until(lambda: stack.jobs_left() == 0, timeout_s=60, what="the end of all jobs")
    found = reconcile(stack)
    before, after = ([account["counted"]["requests"] for account in told["compared"]] for told in (under_way, found))
    assert sum(after) > sum(before) > 0
    counted, gone = accounts(stack, "usage_by"), accounts(stack, "usage_gone")
    assert gone.requests > LINES
    states, attempted, cost = as_recorded(stack)
    rest = counted - gone
    told = {name: getattr(rest, name) for name in NAMES[:3]}
    assert told == {
        "requests": states["completed"],
        "failed_requests": states["failed"] + states["expired"],
        "cancelled_requests": states["cancelled"],
    }
    assert min(told.values()) > 0
    # Among them are a hedge that answered, a call in vain that was paid for, and a run that was lost or cancelled.
    wanted = {("completed", True, True), ("failed", False, True), ("lost", False, False), ("cancelled", False, True)}
    assert wanted <= attempted.keys(), attempted
    assert rest.cost_microusd == cost
