"""kill -9 of the worker that delivers webhooks, and of Redis: every receiver hears of every job."""

import json

import pytest
from standardwebhooks.webhooks import Webhook

from tests.support.process_node import wait_until
from tests.support.stack import chat
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
JOBS = 12


def heard(receiver):
    """The jobs the receiver heard of."""
    return {json.loads(body)["data"]["id"] for _, body in receiver.received}


def test_every_end_arrives(start_stack):
    """Attempts that were under way, and what waited behind them, are made after the kill; the log has each once."""
    stack = start_stack(background=True, environment={"MODEL_ROUTER_WEBHOOK_TIMEOUT_S": "2"})
    with WebhookReceiver(delay_s=1) as receiver:
        made = stack.post({"url": receiver.url}, path="/v1/webhooks/endpoints").json()
        jobs = {stack.post(chat(f"Job {number}.")).headers["X-Job-Id"] for number in range(JOBS)}

        def under_way():
            waiting = stack.redis.client.zrange("mr:outbox", 0, -1)
            return len(receiver.received) >= 3 and waiting and not any(name.startswith("job_") for name in waiting)

        wait_until(under_way, what="attempts, and no job that is still to be told of")
        assert heard(receiver) < jobs
        stack.workers["background"].kill()
        stack.redis.kill()
        stack.redis.restart()
        stack.workers["background"].restart()
        wait_until(lambda: heard(receiver) == jobs, timeout_s=60, what="all webhooks")
        wait_until(lambda: stack.redis.client.zcard("mr:outbox") == 0, timeout_s=60, what="the end of all deliveries")
    secret = stack.get(f"/v1/webhooks/endpoints/{made['id']}/secret").json()["secret"]
    for headers, body in receiver.received:
        assert Webhook(secret).verify(body, headers)
    log = stack.get("/v1/webhooks/deliveries?limit=100").json()["data"]
    assert sorted(delivery["subject"] for delivery in log) == sorted(jobs)
    assert {delivery["status"] for delivery in log} == {"delivered"}
    # A second POST of a job has the first one's id, by which its receiver knows it.
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == JOBS


def test_a_stop_lets_attempts_end(start_stack):
    """SIGTERM in the midst of an attempt: its answer is on record, and nobody is sent it twice."""
    stack = start_stack(background=True)
    with WebhookReceiver(delay_s=5) as receiver:
        stack.post(chat("Once.", webhook_url=receiver.url))
        wait_until(lambda: receiver.received, what="the attempt")
        stack.workers["background"].stop()
        [delivery] = stack.get("/v1/webhooks/deliveries").json()["data"]
        assert (delivery["status"], delivery["attempts_made"]) == ("delivered", 1)
        assert len(receiver.received) == 1
