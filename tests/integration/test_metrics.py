"""`GET /metrics` of the whole product: traffic of every kind moves every metric, and no other is there."""

import re
import time
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.batch import create, ended, entry
from tests.support.process_node import free_port, wait_until
from tests.support.stack import ApiNode, chat, ended_object
from tests.support.webhook_receiver import WebhookReceiver
from workers.metrics.metric import METRICS, Kind

pytestmark = pytest.mark.integration
DOCS = Path(__file__).parents[2] / "docs" / "monitoring.md"


def families(stack, url=None):
    answer = stack.session.get(f"{url or stack.api.url}/metrics", timeout=30)
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def total(found, name, **labels):
    family = found.get(name.removesuffix("_total"))
    samples = family.samples if family else ()
    wanted = [sample for sample in samples if labels.items() <= sample.labels.items()]
    return sum(sample.value for sample in wanted if not sample.name.endswith(("_bucket", "_sum", "_created")))


def traffic(stack, receiver):
    """A good answer, a stream, a failure, a refusal, a background job with a webhook, a batch."""
    assert stack.post(chat("metrics")).status_code == 200
    with stack.post(chat("metrics", stream=True), stream=True) as stream:
        assert b"[DONE]" in stream.content
    assert stack.post(chat("metrics", sandbox={"fault": "status", "status": 400})).status_code == 400
    assert stack.post({"model": 1}).status_code == 400
    job = stack.post(chat("metrics", background=True, webhook_url=receiver.url)).json()
    assert ended_object(stack, job["id"])["status"] == "completed"
    ended(stack, create(stack, requests=[{"custom_id": "a", "body": entry(1)["body"]}])["id"])
    wait_until(lambda: receiver.received, what="the webhook")


def test_every_metric_moves(stack):
    """Each that is documented, after traffic of every kind; the counters by what was done."""
    before = families(stack)
    with WebhookReceiver() as receiver:
        traffic(stack, receiver)
    name = "model_router_jobs_total"
    wait_until(lambda: total(families(stack), name) >= total(before, name) + 5, what="the counts")
    time.sleep(2.5)
    found = families(stack)
    where = {"provider": "groq", "model": "openai/gpt-oss-20b"}
    moved = {
        ("model_router_http_requests_total", "200"): {"route": "/v1/chat/completions", "status": "200"},
        ("model_router_http_requests_total", "400"): {"route": "/v1/chat/completions", "status": "400"},
        ("model_router_http_request_duration_seconds", ""): {"route": "/v1/chat/completions"},
        (name, "completed"): {"status": "completed", "tenant": "default"},
        (name, "failed"): {"status": "failed", "tenant": "default"},
        ("model_router_job_duration_seconds", ""): {"provider": "groq", "status": "completed"},
        ("model_router_job_queue_seconds", ""): {"provider": "groq"},
        ("model_router_attempts_total", ""): {**where, "outcome": "completed"},
        ("gen_ai_client_operation_duration_seconds", ""): {"gen_ai_provider_name": "groq"},
        ("gen_ai_server_time_to_first_token_seconds", ""): {"gen_ai_provider_name": "groq"},
        ("model_router_tokens_total", "input"): {**where, "direction": "input", "tenant": "default"},
        ("model_router_tokens_total", "output"): {**where, "direction": "output", "tenant": "default"},
        ("model_router_cost_usd_total", ""): {**where, "tenant": "default"},
        ("model_router_webhook_attempts_total", ""): {"outcome": "delivered"},
    }
    still = [key for key, labels in moved.items() if total(found, key[0], **labels) <= total(before, key[0], **labels)]
    assert still == []
    assert total(found, "model_router_redis_up") == 1
    assert total(found, "model_router_workers", queue="provider.groq") == 1
    assert total(found, "model_router_redis_memory_bytes", kind="used") > 0


def test_nothing_is_there_that_is_not_documented(stack):
    """The metrics, their list and the table of the docs are the same."""
    names = {row.name.removesuffix("_total") if row.kind is Kind.COUNTER else row.name for row in METRICS}
    assert set(families(stack)) <= names
    documented = set(re.findall(r"^\| `((?:model_router|gen_ai)_\w+)`", DOCS.read_text(), re.MULTILINE))
    assert documented == {row.name for row in METRICS}


def test_every_api_process_says_the_same(stack):
    """Counters and gauges come from Redis, whoever is asked."""
    other = stack.another_api()
    try:
        assert stack.post(chat("same")).status_code == 200
        time.sleep(2.5)
        name = "model_router_attempts_total"
        assert total(families(stack), name) == total(families(stack, other.url), name) > 0
    finally:
        other.kill()
        other.teardown()


def test_a_key_closes_it(stack):
    """Where one is set, nobody reads them without it."""
    environment = {"PORT": str(free_port()), "MODEL_ROUTER_METRICS_KEY": "scrape-me-please"}
    api = ApiNode({**stack.environment, **environment}, "closed-api")
    try:
        api.ready()
        for key, status in (("", 401), ("wrong", 401), ("scrape-me-please", 200)):
            headers = {"Authorization": f"Bearer {key}"}
            assert requests.get(f"{api.url}/metrics", timeout=10, headers=headers).status_code == status
    finally:
        api.kill()
        api.teardown()
