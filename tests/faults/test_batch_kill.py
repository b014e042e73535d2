"""kill -9 of each part while a batch runs: every line is answered once, and the batch ends."""

import json
import time

import pytest

from tests.support.batch import create, ended, entry, jsonl, lines_of, upload
from tests.support.process_node import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240), pytest.mark.alone("kills parts of a loaded product")]
LINES = 2_000


def done(stack, batch):
    return stack.get(f"/v1/batches/{batch['id']}").json()["request_counts"]["completed"]


def test_whatever_is_killed_every_line_is_answered_once(start_stack):
    """A provider worker, the batches' worker, the API and Redis die; under one call in a hundred is wasted."""
    stack = start_stack(providers=("groq", "google-gemini", "hugging-face"), background=True)
    stack.sandbox.behave("*", latency_ms=300)
    stack.sandbox.behave("google-gemini", latency_ms=300, limits={"requests_per_minute": 1200})
    batch = create(stack, input_file_id=upload(stack, jsonl(entry(number) for number in range(LINES))))
    wait_until(lambda: done(stack, batch) > 100, what="the first answers")
    stack.workers["hugging-face"].kill()
    stack.workers["hugging-face"].start()
    wait_until(lambda: done(stack, batch) > 400, what="more answers")
    stack.workers["background"].kill()
    stack.workers["background"].start()
    wait_until(lambda: done(stack, batch) > 800, timeout_s=60, what="more answers")
    stack.api.kill()
    stack.api.start()
    stack.api.ready()
    stack.sandbox.behave("hugging-face", fault="status", status=503)
    wait_until(lambda: done(stack, batch) > 1200, timeout_s=60, what="more answers")
    stack.redis.kill()
    stack.redis.restart()
    time.sleep(1)
    stack.sandbox.behave("hugging-face", latency_ms=300)
    batch = ended(stack, batch["id"], timeout_s=120)
    assert batch["status"] == "completed", batch
    assert batch["request_counts"] == {"total": LINES, "completed": LINES, "failed": 0}
    lines = lines_of(stack, batch["output_file_id"])
    assert len(lines) == LINES
    assert {line["custom_id"] for line in lines} == {f"line-{number}" for number in range(LINES)}
    witness = stack.sandbox.calls(log=True)
    wasted = sum(count - 1 for count in witness["completed_by_marker"].values())
    assert wasted < LINES // 100
    assert stack.jobs_left() == 0


def test_what_is_not_done_in_time_is_told_as_expired(start_stack):
    """What is done by then is kept, every other line says that it expired, whether it was begun or not."""
    stack = start_stack(providers=("groq",), background=True)
    stack.workers["background"].kill()
    file_id = upload(stack, jsonl(entry(number, model="groq/openai/gpt-oss-20b") for number in range(300)))
    stack.sandbox.behave("groq", latency_ms=100, limits={"requests_per_minute": 120})
    batch = create(stack, input_file_id=file_id, completion_window="1m")
    # The window as if most of it had passed while nobody was there to run the batch.
    stack.redis.client.hincrby(f"mr:batch:{batch['id']}", "deadline", -48_000)
    stack.workers["background"].start()
    batch = ended(stack, batch["id"], timeout_s=90)
    assert batch["status"] == "expired"
    assert batch["expired_at"] >= batch["expires_at"]
    done, late = lines_of(stack, batch["output_file_id"]), lines_of(stack, batch["error_file_id"])
    assert {line["error"]["code"] for line in late} == {"batch_expired"}
    assert len({line["custom_id"] for line in done + late}) == 300
    assert len(done) == batch["request_counts"]["completed"] > 0
    assert json.dumps(late[0]["response"]) == "null"


def test_a_stopping_worker_hands_its_batches_on_at_once(start_stack):
    """SIGTERM: another process holds them without waiting for a lease to end."""
    stack = start_stack(
        providers=("groq",),
        background=True,
        environment={"MODEL_ROUTER_LEASE_S": "60", "MODEL_ROUTER_HEARTBEAT_S": "5"},
    )
    stack.sandbox.behave("groq", latency_ms=100)
    lines = (entry(number, model="groq/openai/gpt-oss-20b") for number in range(1500))
    batch = create(stack, input_file_id=upload(stack, jsonl(lines)))
    wait_until(lambda: done(stack, batch) > 100, what="the first answers")
    stack.workers["background"].stop()
    stack.workers["background"].start()
    batch = ended(stack, batch["id"], timeout_s=40)
    assert batch["request_counts"] == {"total": 1500, "completed": 1500, "failed": 0}
