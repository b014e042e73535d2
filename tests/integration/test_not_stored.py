"""`store: false`: what was asked and answered leaves the store once it was delivered; what it used stays."""

import json

import pytest

from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import chat, ended_object
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration
SECRET = "canaryneverkept"
CHAT = "/v1/chat/completions"


def everything(stack, job_id):
    """All that Redis has of a job, as one text."""
    client = stack.redis.client
    return json.dumps([client.hgetall(f"mr:job:{job_id}"), client.lrange(f"mr:stream:{job_id}", 0, -1)])


def gone(stack, job_id):
    """Wait until neither prompt nor answer is there: the sandbox repeats the prompt in its answer."""
    wait_until(lambda: SECRET not in everything(stack, job_id), what="the end of what is kept")
    assert not stack.redis.client.exists(f"mr:stream:{job_id}")
    return stack.redis.client.hgetall(f"mr:job:{job_id}")


def ask(stack, path=CHAT, **fields):
    """Ask and take the answer whole; the job's id."""
    body = {"model": "groq/openai/gpt-oss-20b", "store": False, **fields}
    answer = stack.post(body, path=path)
    assert answer.status_code in (200, 202), answer.text
    # A stream tells it in pieces.
    if answer.status_code == 200 and not fields.get("stream"):
        assert SECRET in answer.text
    return answer.headers["X-Job-Id"]


MESSAGES = {"messages": [{"role": "user", "content": SECRET}]}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, MESSAGES),
        (CHAT, {**MESSAGES, "stream": True}),
        ("/v1/completions", {"prompt": SECRET, "max_tokens": 100}),
        ("/v1/messages", {**MESSAGES, "max_tokens": 50}),
        ("/v1/responses", {"input": SECRET, "instructions": SECRET}),
        ("/v1/responses", {"input": SECRET, "stream": True}),
    ],
    ids=["chat", "chat stream", "completion", "message", "response", "response stream"],
)
def test_what_was_delivered_is_not_kept(stack, path, fields):
    """On every surface, streamed or not: the record keeps status, attempts and usage, and nothing that was said."""
    job_id = ask(stack, path, **fields)
    kept = gone(stack, job_id)
    assert kept["status"] == "completed"
    assert json.loads(f"[{kept['attempts']}]")[0]["status"] == "completed"
    job = stack.get(f"/v1/jobs/{job_id}").json()
    assert (job["status"], job["response"], job["error"]["code"]) == ("completed", None, "answer_not_stored")


def test_what_it_used_stays(stack):
    """The usage of an answer that is gone can be read."""
    kept = gone(stack, ask(stack, **MESSAGES))
    assert json.loads(kept["answer"])["usage"]["total_tokens"] > 0


def test_in_the_background_it_waits_for_its_caller(stack):
    """Nobody has had the answer: it stays until somebody asks, and then goes."""
    # A job that has ended by the time of the 202 is in it, answer and all.
    stack.sandbox.behave("*", latency_ms=500)
    job_id = ask(stack, **MESSAGES, background=True)
    wait_until(lambda: stack.redis.client.hget(f"mr:job:{job_id}", "status") == "completed", what="its end")
    assert stack.redis.client.zscore("mr:unstored", job_id) is None
    job = ended_object(stack, job_id)
    assert SECRET in json.dumps(job["response"])
    gone(stack, job_id)


def test_in_the_background_a_webhook_is_a_delivery(stack):
    """Its receiver has the answer; an endpoint that wants no such event does not count as one."""
    with WebhookReceiver() as receiver:
        uninterested = {"url": receiver.url, "events": ["batch.completed"]}
        endpoint = stack.post(uninterested, path="/v1/webhooks/endpoints").json()["id"]
        stack.sandbox.behave("*", latency_ms=500)
        jobs = [ask(stack, **MESSAGES, background=True, webhook_url=url) for url in (receiver.url, None)]
        wait_until(lambda: stack.redis.client.zscore("mr:unstored", jobs[0]), what="the note of the delivery")
        wait_until(lambda: stack.redis.client.hget(f"mr:job:{jobs[1]}", "status") == "completed", what="its end")
        wait_until(lambda: stack.redis.client.zscore("mr:outbox", jobs[1]) is None, what="the end of its news")
        assert stack.redis.client.zscore("mr:unstored", jobs[1]) is None
        stack.session.delete(f"{stack.api.url}/v1/webhooks/endpoints/{endpoint}")


def test_a_failed_one_is_not_kept_either(stack):
    """A request that failed is not kept to be run again."""
    stack.sandbox.behave("*", fault="status", status=400)
    answer = stack.post({"model": "groq/openai/gpt-oss-20b", "store": False, **MESSAGES})
    assert answer.status_code == 400
    job_id = answer.headers["X-Job-Id"]
    gone(stack, job_id)
    assert stack.post(path=f"/v1/jobs/{job_id}/replay").status_code == 409


def test_a_repeat_is_told_that_it_is_gone(stack):
    """The same Idempotency-Key neither runs again nor waits for what is not there: 410."""
    body, key = {"model": "fast", "store": False, **MESSAGES}, {"Idempotency-Key": "once-and-not-kept"}
    first = stack.post(body, headers=key)
    assert SECRET in stack.post(body, headers=key).text
    gone(stack, first.headers["X-Job-Id"])
    again = stack.post(body, headers=key)
    assert (again.status_code, again.json()["error"]["code"]) == (410, "answer_not_stored")
    Conformance(stack.get("/openapi.json").json()).check(again)


def test_a_webhook_still_has_the_answer(stack):
    """What is to be told of is kept until it was told."""
    with WebhookReceiver([503]) as receiver:
        job_id = ask(stack, **MESSAGES, webhook_url=receiver.url)
        wait_until(lambda: len(receiver.received) == 2, timeout_s=40, what="the second attempt")
        for _, body in receiver.received:
            assert SECRET in json.dumps(json.loads(body)["data"]["response"])
        assert stack.redis.client.zscore("mr:unstored", job_id)


def test_without_it_the_answer_is_kept(stack):
    """An answer whose request says nothing, or `store: true`, stays."""
    for fields in ({}, {"store": True}):
        job_id = stack.post(chat(SECRET, **fields)).headers["X-Job-Id"]
        assert stack.redis.client.zscore("mr:unstored", job_id) is None
        assert SECRET in json.dumps(stack.get(f"/v1/jobs/{job_id}").json()["response"])
