"""The names of the queues, and what every process must know to use them as Celery's broker."""

from typing import Any

from routing.job import PRIORITY_STEPS

WEBHOOKS = "webhooks"
BATCHES = "batches"
MAINTENANCE = "maintenance"
# The kombu transport of every process; see workers/broker.py.
TRANSPORT = "workers.broker:Transport"
BACKGROUND = (WEBHOOKS, BATCHES, MAINTENANCE)
# In front of a provider's name: its queue.
PROVIDER_QUEUE = "provider."


def provider_queue(provider: str) -> str:
    """The queue of one provider's worker."""
    return PROVIDER_QUEUE + provider


def broker_options(prefix: str, concurrency: int) -> dict[str, Any]:
    """Celery's `broker_transport_options` for a process that runs up to `concurrency` tasks at once."""
    return {
        "global_keyprefix": prefix,
        "priority_steps": list(PRIORITY_STEPS),
        "queue_order_strategy": "priority",
        # kombu's default of 10 connections starves a gevent pool, which then fails in ways that lose work.
        "max_connections": 2 * concurrency + 50,
        "socket_connect_timeout": 1,
        # Longer than the consumer's own wait in the server.
        "socket_timeout": 30,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
