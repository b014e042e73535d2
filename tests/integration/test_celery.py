"""The workers are Celery workers: its own tools reach them through our transport."""

import time

import pytest
from pytest_celery import (
    CeleryBackendCluster,
    CeleryBrokerCluster,
    CeleryTestSetup,
    CeleryTestWorker,
    CeleryWorkerCluster,
    RedisTestBackend,
    RedisTestBroker,
)

from config.settings import Settings
from tests.support.process_node import RedisNode, WorkerNode, wait_until
from workers.queues import MAINTENANCE

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def node():
    node = RedisNode()
    node.ready()
    yield node
    node.teardown()


@pytest.fixture
def celery_broker(node):
    return RedisTestBroker(node)


@pytest.fixture
def celery_backend(node):
    return RedisTestBackend(node)


@pytest.fixture
def celery_broker_cluster(celery_broker):
    return CeleryBrokerCluster(celery_broker)


@pytest.fixture
def celery_backend_cluster(celery_backend):
    return CeleryBackendCluster(celery_backend)


@pytest.fixture
def celery_setup_app(node, monkeypatch):
    monkeypatch.setenv("REDIS_URL", node.url)
    from workers.app import make_app  # noqa: PLC0415 (the module makes its app from the environment)

    app = make_app(Settings(redis_url=node.url))
    app.set_current()
    return app


@pytest.fixture
def celery_worker(node, celery_setup_app):
    worker = CeleryTestWorker(
        WorkerNode(["--queue", MAINTENANCE], {"REDIS_URL": node.url}, MAINTENANCE), celery_setup_app
    )
    worker.ready()
    yield worker
    worker.teardown()


@pytest.fixture
def celery_worker_cluster(celery_worker):
    return CeleryWorkerCluster(celery_worker)


def test_remote_control_and_tasks_reach_a_worker(celery_setup: CeleryTestSetup, celery_setup_app, node):
    """A worker answers Celery's remote control and runs a task that Celery published; it survives a broker restart."""
    assert celery_setup.ready(ping=False, control=True, docker=True)

    def forgets():
        node.client.hset("mr:health", "old/m", "1 1 1 1 0 1")
        celery_setup_app.send_task("workers.tasks.forget_idle_deployments", queue=MAINTENANCE)
        return wait_until(lambda: not node.client.hexists("mr:health", "old/m"), what="the task's effect")

    assert forgets()
    celery_setup.broker.kill()
    celery_setup.broker.restart()
    assert forgets()


def test_a_killed_worker_comes_back_to_its_queue(celery_setup: CeleryTestSetup, celery_setup_app, node):
    """What was published while no worker ran is done by the next."""
    celery_setup.worker.kill()
    node.client.hset("mr:health", "old/m", f"1 1 1 1 0 {int(time.time() - 200_000) * 1000}")
    celery_setup_app.send_task("workers.tasks.forget_idle_deployments", queue=MAINTENANCE)
    celery_setup.worker.restart()
    wait_until(lambda: not node.client.hexists("mr:health", "old/m"), what="the task's effect")
