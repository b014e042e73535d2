"""The Celery tasks: thin shims over executor and webhooks. What they are given is a pointer, never the work itself."""

import structlog

from routing.errors import StoreUnavailable
from workers import envelope, runtime
from workers.app import app
from workers.file_sweep import sweep

log = structlog.get_logger()


@app.task(name=envelope.RUN_JOB, Strategy="workers.strategy:pointer_strategy")
def run_job(job_id: str, epoch: int) -> None:
    """Run a job once. Whatever goes wrong, the ledger's schedule still has the job."""
    try:
        runtime.current().executor.run(job_id, epoch)
    except StoreUnavailable:
        log.warning("job.run_ended", job_id=job_id, why="the job store is away; the rescue will find the job")
    except Exception:
        log.exception("job.run_failed", job_id=job_id, epoch=epoch)


@app.task(name="workers.tasks.deliver_webhook")
def deliver_webhook(member: str) -> None:
    """Begin what an entry of the outbox asks for: a job's end, or one delivery. It stays there until that is done."""
    try:
        deliveries = runtime.current().deliveries
        for delivery_id in deliveries.due(member):
            deliveries.start(_attempt_deliveries, delivery_id)
    except StoreUnavailable:
        log.warning("webhook.deferred", member=member, why="the job store is away; the outbox keeps it")
    except Exception:
        log.exception("webhook.failed", member=member)


def _attempt_deliveries(delivery_id: str) -> None:
    """Make an attempt, and those that waited for their turn at the same host."""
    following: str | None = delivery_id
    try:
        while following is not None:
            following = runtime.current().deliveries.attempt(following)
    except StoreUnavailable:
        log.warning("webhook.deferred", member=following, why="the job store is away; the outbox keeps the delivery")
    except Exception:
        log.exception("webhook.failed", member=following)


@app.task(name="workers.tasks.forget_idle_deployments")
def forget_idle_deployments() -> None:
    """Drop the health records of deployments that nobody has called for a day."""
    try:
        forgotten = runtime.current().ledger.provider_records.forget_idle_deployments()
        if forgotten:
            log.info("health.forgotten", deployments=forgotten)
    except StoreUnavailable:
        log.warning("health.not_pruned", why="the job store is away; tried again at the next turn")


@app.task(name="workers.tasks.sweep_files")
def sweep_files() -> None:
    """Remove the bytes of files that expired, were deleted, or never came whole."""
    try:
        current = runtime.current()
        removed = sweep(current.ledger.files, current.storage)
        if removed:
            log.info("files.removed", files=removed)
    except StoreUnavailable:
        log.warning("files.not_swept", why="the job store is away; tried again at the next turn")
