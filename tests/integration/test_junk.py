"""What others may put on our queues harms nobody."""

import json

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration
LIST = "mr:provider.groq\x06\x163"


def pointer(**changes):
    """A real pointer's message with something in it changed."""
    message = {
        "body": '[["job_00000000000000000000000000000000", 1], {}, {}]',
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "workers.tasks.run_job", "id": "x", "lang": "py"},
        "properties": {
            "delivery_tag": "x",
            "delivery_info": {"exchange": "", "routing_key": "provider.groq"},
            "body_encoding": "utf-8",
        },
    }
    return json.dumps({**message, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"body": "not json"},
        {"body": "[]"},
        {"body": '[["job", 1, 2, 3], {}, {}]'},
        {"headers": {"task": "no.such.task", "id": "x", "lang": "py"}},
        {"headers": {}},
        None,
    ],
    ids=["unknown job", "body", "no arguments", "arguments", "task", "headers", "message"],
)
def test_junk_on_a_queue_is_dropped(stack, changes):
    """A worker that is handed junk goes on serving its queue."""
    stack.redis.client.lpush(LIST, "\x00 not json" if changes is None else pointer(**changes))
    wait_until(lambda: stack.redis.client.llen(LIST) == 0, what="the junk to be taken")
    assert stack.post(chat("Still there?")).status_code == 200
    assert stack.workers["groq"].status == "running"
