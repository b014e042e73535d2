"""kill -9 of each part in the middle of streams: every caller gets every event once, or is told where it ends."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.events import received, said
from tests.support.process_node import WorkerNode, wait_until
from tests.support.stack import chat, ended_object

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]
STREAMS = 60
TEXT = "word " * 100
# Chunks per second: the whole text takes 5 s, or so long that no stream ends before the last one has begun, whatever
# the machine is busy with.
PACE, SLOW = 25, 2.5


def follow(stack, number, events):
    """Ask for a stream, and after each loss of the connection for its rest, until the end is there."""
    key = {"Idempotency-Key": f"stream-{number}"}
    while True:
        seen = {"Last-Event-ID": str(events[-1].number)} if events else {}
        try:
            with stack.post(chat(f"job {number}", stream=True), headers={**key, **seen}, stream=True) as response:
                for event in received(response):
                    if event.data == "[DONE]":
                        return response.headers["X-Job-Id"]
                    events.append(event)
                    if "error" in event.data:
                        return response.headers["X-Job-Id"]
        except requests.RequestException:
            time.sleep(0.2)


@pytest.fixture
def streams(start_stack, request):
    """A product with STREAMS streams in the middle of their answers: the stack, the callers, and what each has seen."""
    stack = start_stack()
    stack.sandbox.behave("groq", tokens_per_s=getattr(request, "param", PACE), text=TEXT)
    seen = [[] for _ in range(STREAMS)]
    with ThreadPoolExecutor(STREAMS) as pool:
        callers = [pool.submit(follow, stack, number, events) for number, events in enumerate(seen)]
        wait_until(lambda: all(len(events) > 10 for events in seen), what="the middle of all streams")
        yield stack, callers, seen


def check_whole(stack, callers, seen):
    """Every stream was told to its end, each event once, by one call."""
    for caller, events in zip(callers, seen, strict=True):
        job_id = caller.result()
        assert said(events) == TEXT
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert len({event.data["id"] for event in events}) == 1
        assert ended_object(stack, job_id)["status"] == "completed"
    witness = stack.sandbox.calls()
    assert witness["total"] == witness["completed"] == STREAMS


def test_a_killed_apis_streams_go_on(streams):
    """A crash of the API process costs each caller a reconnect and nothing else."""
    stack, callers, seen = streams
    stack.api.kill()
    stack.api.start()
    stack.api.ready()
    check_whole(stack, callers, seen)


def test_a_killed_redis_loses_no_chunk(streams):
    """What was sent before and comes in meanwhile is all there; the callers notice a pause."""
    stack, callers, seen = streams
    stack.redis.kill()
    time.sleep(1)
    stack.redis.restart()
    check_whole(stack, callers, seen)


@pytest.mark.parametrize("streams", [SLOW], indirect=True)
def test_a_killed_workers_streams_end_with_an_error(streams):
    """What was sent cannot be taken back: each caller keeps it and is told that it broke off."""
    stack, callers, seen = streams
    stack.workers["groq"].kill()
    stack.workers["groq-2"] = WorkerNode(["--provider", "groq"], stack.environment, "groq-2")
    stack.workers["groq-2"].ready()
    for caller, events in zip(callers, seen, strict=True):
        job_id = caller.result()
        *content, error = events
        assert TEXT.startswith(said(content))
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert error.data["error"]["code"] == "stream_interrupted"
        job = ended_object(stack, job_id)
        assert (job["status"], [attempt["status"] for attempt in job["attempts"]]) == ("failed", ["lost"])
    assert stack.sandbox.calls()["total"] == STREAMS
