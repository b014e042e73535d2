"""How a worker starts a pointer: straight into its gevent pool, without Celery's request object and tracer.

Celery's extension point for this is a task's `Strategy`. What the tracer adds (results, retries, time limits,
signals) is the ledger's business here, and costs more than starting a job does. With task events on, Celery's own
strategy is used, so that Flower sees every task.
"""

import json
from collections.abc import Callable
from typing import Any

from celery.concurrency.gevent import TaskPool
from celery.worker.strategy import default

Handler = Callable[..., Any]


def pointer_strategy(task: Any, app: Any, consumer: Any) -> Handler:
    """A handler for messages of `task`, as Celery's consumer calls it."""
    pool = consumer.pool
    if app.conf.worker_send_task_events or not isinstance(pool, TaskPool):
        handler: Handler = default(task, app, consumer)
        return handler
    spawn = pool._pool.spawn  # noqa: SLF001 (the pool's own apply wraps every call three times)
    run = task.run

    def work(message: Any) -> None:
        try:
            run(*json.loads(message.body)[0])
        finally:
            message.ack()

    def handle(message: Any, *_: Any) -> None:
        spawn(work, message)

    return handle
