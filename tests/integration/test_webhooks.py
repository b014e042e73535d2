"""A job's end reaches its webhook: signed as Standard Webhooks says, and again until it is taken."""

import json

import pytest
from standardwebhooks.webhooks import Webhook

from tests.support.batch import create, entry, jsonl, upload
from tests.support.process_node import wait_until
from tests.support.stack import chat
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration


def secret(stack):
    return stack.get("/v1/webhooks/secret").json()["secret"]


def test_a_webhook_is_signed_and_carries_the_job(stack):
    """The standard's own library verifies what arrives, and it is the finished job."""
    with WebhookReceiver() as receiver:
        job = stack.post(chat("Call me.", background=True, webhook_url=receiver.url)).json()
        wait_until(lambda: receiver.received, what="the webhook")
        headers, body = receiver.received[0]
    event = Webhook(secret(stack)).verify(body, headers)
    assert event["type"] == "job.completed"
    assert event["data"]["id"] == job["id"]
    assert "Call me." in event["data"]["response"]["choices"][0]["message"]["content"]


def test_a_batch_tells_of_its_end_and_not_of_its_lines(stack):
    """The batch's own URL and the tenant's endpoints are each told once, when its files are there."""
    with WebhookReceiver() as named, WebhookReceiver() as endpoint:
        made = stack.post({"url": endpoint.url, "events": "*"}, path="/v1/webhooks/endpoints").json()
        lines = [entry(number) for number in range(3)]
        batch = create(stack, input_file_id=upload(stack, jsonl(lines)), webhook_url=named.url)
        wait_until(lambda: named.received and endpoint.received, what="both webhooks")
        wait_until(lambda: stack.redis.client.zcard("mr:outbox") == 0, what="an empty outbox")
        stack.session.delete(f"{stack.api.url}/v1/webhooks/endpoints/{made['id']}")
    (headers, body), (_, other) = *named.received, *endpoint.received
    event = Webhook(secret(stack)).verify(body, headers)
    assert event["type"] == json.loads(other)["type"] == "batch.completed"
    assert event["data"] == stack.get(f"/v1/batches/{batch['id']}").json()
    assert event["data"]["output_file_id"]


def test_a_failed_job_is_told_as_well(stack):
    """The event's type says how the job ended."""
    stack.sandbox.behave("*", fault="status", status=500)
    with WebhookReceiver() as receiver:
        stack.post(chat("Fail.", background=True, webhook_url=receiver.url))
        wait_until(lambda: receiver.received, what="the webhook")
    event = json.loads(receiver.received[0][1])
    assert (event["type"], event["data"]["error"]["code"]) == ("job.failed", "all_providers_failed")


def test_a_refused_webhook_comes_again_with_the_same_id(stack):
    """A receiver that answers 500 gets the delivery again, recognisable as the same."""
    with WebhookReceiver(statuses=[500]) as receiver:
        stack.post(chat("Twice.", webhook_url=receiver.url))
        wait_until(lambda: len(receiver.received) == 2, timeout_s=30, what="the second attempt")
        ids = {headers["webhook-id"] for headers, _ in receiver.received}
        assert len(ids) == 1
        wait_until(lambda: stack.redis.client.zcard("mr:outbox") == 0, what="an empty outbox")


def test_a_receiver_that_is_gone_is_left_alone(stack):
    """410 ends a delivery."""
    with WebhookReceiver(statuses=[410]) as receiver:
        stack.post(chat("Gone.", webhook_url=receiver.url))
        wait_until(lambda: receiver.received, what="the webhook")
        wait_until(lambda: stack.redis.client.zcard("mr:outbox") == 0, what="the end of the delivery")
    [delivery] = stack.get("/v1/webhooks/deliveries?limit=1").json()["data"]
    assert (delivery["status"], delivery["url"]) == ("failed", receiver.url)
    assert len(receiver.received) == 1


def test_each_tenant_has_a_secret_of_its_own(stack):
    """A tenant cannot forge another's webhooks."""
    rival = stack.get("/v1/webhooks/secret", headers={"Authorization": "Bearer ak-rival"}).json()["secret"]
    assert rival != secret(stack)
    assert secret(stack) == secret(stack)
