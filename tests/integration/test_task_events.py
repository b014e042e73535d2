"""With task events on, Celery's own strategy runs the jobs and its monitors see every one."""

import threading

import pytest

from config.settings import Settings
from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat
from workers.envelope import RUN_JOB

pytestmark = pytest.mark.integration


@pytest.fixture
def watched_stack():
    stack = Stack(("groq",), environment={"MODEL_ROUTER_TASK_EVENTS": "1"})
    yield stack
    stack.stop()


@pytest.fixture
def seen(watched_stack, monkeypatch):
    """What a monitor such as Flower is told, by the event's type."""
    monkeypatch.setenv("REDIS_URL", watched_stack.redis.url)
    from workers.app import make_app  # noqa: PLC0415 (the module makes its app from the environment)

    app = make_app(Settings(redis_url=watched_stack.redis.url), transport=None)
    events = {}
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": lambda event: events.update({event["type"]: event})})
        watching = threading.Thread(target=receiver.capture, kwargs={"wakeup": False})
        watching.start()
        wait_until(lambda: "worker-heartbeat" in events, what="the worker's heartbeat")
        yield events
        receiver.should_stop = True
        watching.join()


def test_monitors_see_jobs_as_tasks(watched_stack, seen):
    """A job is answered, and shows as a task that was received and succeeded under the job's own id."""
    response = watched_stack.post(chat("Watch me."))
    assert response.status_code == 200
    wait_until(lambda: "task-succeeded" in seen, what="the task's success")
    assert seen["task-received"]["name"] == RUN_JOB
    assert seen["task-received"]["uuid"] == seen["task-succeeded"]["uuid"] == response.headers["X-Job-Id"]
