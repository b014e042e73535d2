"""How the ledger reaches Redis: its scripts by name, and plain commands, on the process's shared pipeline."""

from typing import Any

import redis

from config.settings import Settings
from routing.errors import StoreUnavailable
from workers import envelope
from workers.ledger import scripts
from workers.pipeline import CommandPipeline
from workers.queues import provider_queue

# A Redis that cannot be reached, or is full.
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError)
# A full Redis inside a script, a read-only replica, a server that is still loading its data.
_REFUSING = ("OOM", "READONLY", "LOADING", "MISCONF", "MASTERDOWN", "BUSY")


class Steps:
    """Takes atomic steps; each is one (shared) round trip, and raises StoreUnavailable where Redis is away or full."""

    def __init__(self, pipeline: CommandPipeline, settings: Settings) -> None:
        self._pipeline = pipeline
        self.prefix = settings.key_prefix
        self._scripts = scripts.load(
            scripts.Constants(
                prefix=settings.key_prefix,
                lease_ms=int(settings.lease_s * 1000),
                requeue_check_ms=int(settings.requeue_check_s * 1000),
                retention_s=int(settings.retention_s),
                unstored_ms=int(settings.unstored_s * 1000),
                failures_kept=settings.failures_kept,
                envelope=envelope.template(),
                provider_queue=provider_queue(""),
            )
        )

    def run(self, name: str, *arguments: Any) -> Any:
        """Run one of the scripts."""
        script = self._scripts[name]
        try:
            return self.command("EVALSHA", script.sha, 0, *arguments)
        except redis.exceptions.NoScriptError:
            # A restarted Redis has forgotten its scripts.
            self.command("SCRIPT", "LOAD", script.text)
            return self.command("EVALSHA", script.sha, 0, *arguments)

    def command(self, *command: Any) -> Any:
        """Run one command of Redis."""
        try:
            return self._pipeline.call(*command)
        except redis.RedisError as error:
            if isinstance(error, _AWAY) or str(error).startswith(_REFUSING):
                raise StoreUnavailable("the job store is not available; try again", retry_after_s=2) from error
            raise

    def hash(self, name: str) -> dict[bytes, bytes]:
        """All fields of a hash; `name` is without the prefix."""
        flat = self.command("HGETALL", f"{self.prefix}{name}")
        # RESP3 answers with a map, RESP2 with a flat list.
        return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
