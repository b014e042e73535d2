"""The ledger's messages against Celery's own."""

import json

import pytest
from celery import Celery
from kombu.serialization import loads

from tests.workers.conftest import submission
from workers import envelope, queues


@pytest.fixture
def celery_message(settings, redis):
    """What Celery itself puts on the queue for the same call."""
    app = Celery(broker=settings.redis_url)
    app.conf.update(
        broker_transport=queues.TRANSPORT,
        broker_transport_options=queues.broker_options(settings.key_prefix, concurrency=1),
        task_ignore_result=True,
    )
    app.send_task(envelope.RUN_JOB, ("job_1", 1), task_id="job_1", queue="provider.celery", priority=3)
    [text] = redis.lrange(f"{settings.key_prefix}provider.celery\x06\x163", 0, -1)
    app.close()
    return json.loads(text)


def test_a_pointer_is_the_message_celery_would_send(ledger, redis, settings, celery_message):
    """Headers, properties and body of a pointer are those of Celery's protocol, on the list kombu would use."""
    ledger.submit(submission())
    [text] = redis.lrange(f"{settings.key_prefix}provider.groq\x06\x163", 0, -1)
    ours = json.loads(text)
    assert ours.keys() == celery_message.keys()
    optional = {"stamped_headers", "stamps", "replaced_task_nesting", "shadow"}
    assert ours["headers"].keys() == celery_message["headers"].keys() - optional
    same = ("lang", "task", "id", "root_id", "parent_id", "eta", "expires", "retries", "timelimit")
    assert {name: ours["headers"][name] for name in same} == {name: celery_message["headers"][name] for name in same}
    assert ours["properties"]["priority"] == celery_message["properties"]["priority"]
    assert ours["properties"].keys() == celery_message["properties"].keys()


def test_a_pointers_body_is_its_job_and_epoch(ledger, redis, settings):
    """Whoever decodes the body as Celery does finds the job id and the epoch as a number."""
    ledger.submit(submission())
    message = json.loads(redis.lindex(f"{settings.key_prefix}provider.groq\x06\x163", 0))
    body = loads(message["body"], message["content-type"], message["content-encoding"], accept=["application/json"])
    assert body[:2] == [["job_1", 1], {}]
