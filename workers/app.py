"""The Celery application: configuration and process life only; the work is in tasks.py and below."""

from celery import Celery
from celery.schedules import schedule
from kombu import Queue

from config.settings import Settings
from workers import queues

# How often bytes of files that nobody may see any more are removed.
_SWEEP_S = 60.0


def make_app(settings: Settings, transport: str | None = queues.TRANSPORT) -> Celery:
    """The application as workers and the scheduler load it. `transport` None is kombu's own for the broker's URL."""
    app = Celery("model_router", include=["workers.tasks", "workers.lifecycle"])
    app.conf.update(
        broker_url=settings.resolve_redis_url(),
        broker_transport=transport,
        broker_transport_options=queues.broker_options(settings.key_prefix, concurrency=100),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=50,
        # Answers travel through the ledger; a result backend would store them a second time (docs/decisions).
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        # As many messages as there are slots: none waits inside a worker while another is idle.
        worker_prefetch_multiplier=1,
        worker_enable_prefetch_count_reduction=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2},
        task_default_queue=queues.MAINTENANCE,
        task_queues=[Queue(name, routing_key=name) for name in queues.BACKGROUND],
        task_create_missing_queues=True,
        worker_send_task_events=settings.task_events,
        worker_hijack_root_logger=False,
        beat_schedule={
            "forget-idle-deployments": {
                "task": "workers.tasks.forget_idle_deployments",
                "schedule": schedule(settings.health_check_interval_s),
                "options": {"queue": queues.MAINTENANCE, "expires": settings.health_check_interval_s},
            },
            "sweep-files": {
                "task": "workers.tasks.sweep_files",
                "schedule": schedule(_SWEEP_S),
                "options": {"queue": queues.MAINTENANCE, "expires": _SWEEP_S},
            },
        },
    )
    return app


app = make_app(Settings.from_environment())
