"""What a worker process does when it starts and stops, on Celery's signals."""

import logging
import random
from typing import Any

import structlog
from celery.signals import setup_logging, worker_init, worker_ready, worker_shutdown
from kombu.exceptions import OperationalError

from config import logs
from routing.errors import StoreUnavailable
from workers import broker, memory, queues, redis_client, runtime
from workers.batches.assembly import make_pump
from workers.loops import keep_running
from workers.metrics.keeper import Keeper
from workers.rescue import Rescue
from workers.tasks import deliver_webhook

log = structlog.get_logger()


@setup_logging.connect
def set_up_logging(loglevel: int | str | None = None, **_: Any) -> None:
    """Write Celery's lines as ours are; connected, it keeps Celery from setting up its own way."""
    level = logging.getLevelName(loglevel) if isinstance(loglevel, int) else loglevel
    logs.configure(level or "info")


@worker_init.connect
def start_runtime(sender: Any, **_: Any) -> None:
    """Build the runtime before the first message can come, and start its loops."""
    process = runtime.current()
    settings = process.settings
    process.start(
        Rescue(
            process.ledger,
            interval_s=settings.rescue_interval_s,
            grace_s=2 * settings.heartbeat_s * random.uniform(1.0, 1.25),  # noqa: S311 (spread, not secrets)
            publish_webhook=_publish_webhook,
            meter=process.meter,
        )
    )
    # As many again as may be called: so that others' jobs are sent on from here to providers that have room.
    keep_running(broker.Window.gaps.run)
    broker.Window.bound = lambda: 2 * process.concurrency.bound
    log.info("worker.started", worker=sender.hostname, sandbox=process.configuration.current.sandbox)


def _publish_webhook(member: str) -> None:
    try:
        deliver_webhook.apply_async((member,), queue=queues.WEBHOOKS)
    except OperationalError as error:
        raise StoreUnavailable("the queue is not available") from error


@worker_shutdown.connect
def settle_deliveries(**_: Any) -> None:
    """Let running attempts at webhooks end: their receivers would get them twice."""
    process = runtime.current()
    process.deliveries.settle(min(process.settings.drain_s, process.settings.webhook_timeout_s))


@worker_ready.connect
def start_pump(sender: Any, **_: Any) -> None:
    """A worker that serves the queue of batches keeps them going, until it is told to stop."""
    if queues.BATCHES not in sender.app.amqp.queues.consume_from:
        return
    process = runtime.current()
    pump = make_pump(process.settings, process.configuration, process.ledger, process.storage)
    running = keep_running(pump.run)

    @worker_shutdown.connect(weak=False)
    def stop_pump(**_: Any) -> None:
        running.kill()
        pump.stop()


@worker_ready.connect
def start_keeper(sender: Any, **_: Any) -> None:
    """What the process counts is kept, and it is told to be alive, until it ends."""
    process = runtime.current()
    settings = process.settings
    client = redis_client.connect(settings.resolve_redis_url())
    queues_served = " ".join(sender.app.amqp.queues.consume_from)
    keeper = Keeper(client, settings.key_prefix, process.meter, queues_served, lambda: process.leases.held)
    running = keep_running(keeper.run)

    @worker_shutdown.connect(weak=False)
    def leave(**_: Any) -> None:
        running.kill()
        keeper.leave()


@worker_ready.connect
def settle_memory(**_: Any) -> None:
    """The worker is loaded; what it is made of stays."""
    memory.settle()
