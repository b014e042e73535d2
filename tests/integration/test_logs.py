"""What the product writes while it runs: lines of one form, events of one list, and each job's way by its ids."""

import json
from itertools import dropwhile

import pytest

from config.log_events import EVENTS
from tests.support.process_node import WorkerNode, wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration


def lines(node):
    """The lines of a process that are JSON."""
    return [json.loads(line) for line in node.logs().splitlines() if line.startswith("{")]


def test_a_jobs_way_is_told_by_its_ids(stack):
    """Accepted by the API, ended by the worker: both say job, request and tenant, and the worker's the provider."""
    answer = stack.post(chat("logs"), headers={"X-Request-Id": "req-of-the-logs"})
    job_id = answer.headers["X-Job-Id"]

    def told(node, event):
        return next((line for line in lines(node) if line["event"] == event and line.get("job_id") == job_id), None)

    accepted = wait_until(lambda: told(stack.api, "job.accepted"), what="the API's line")
    ended = wait_until(lambda: told(stack.workers["groq"], "job.ended"), what="the worker's line")
    for line in (accepted, ended):
        assert (line["request_id"], line["tenant_id"], line["level"]) == ("req-of-the-logs", "default", "info")
        assert line["timestamp"]
    assert (ended["provider"], ended["model"], ended["status"]) == ("groq", "openai/gpt-oss-20b", "completed")


def test_every_line_has_the_form_and_a_known_event(stack):
    """Celery's and gunicorn's, too, from a process's start on."""
    api = stack.another_api()
    worker = WorkerNode(["--queue", "maintenance"], stack.environment, "spare")
    try:
        worker.ready()
        assert stack.post(chat("logs"), api=api).status_code == 200
        for node, library in ((api, "gunicorn"), (worker, "celery")):
            # Before the first line Python itself may warn, of a worker that is root's for instance.
            written = list(dropwhile(lambda line: not line.startswith("{"), node.logs().splitlines()))
            for text in written:
                assert text.startswith("{"), text
                line = json.loads(text)
                assert line["event"] in EVENTS, line
                assert {"level", "timestamp"} <= line.keys()
            assert any(line["event"] == "library" and line["logger"].startswith(library) for line in lines(node))
    finally:
        for node in (api, worker):
            node.kill()
            node.teardown()
