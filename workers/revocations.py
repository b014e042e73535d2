"""Hears at once which jobs were cancelled, and ends their runs. What is missed, the next heartbeat learns."""

import gevent
import redis
import structlog

from workers.leases import Leases

log = structlog.get_logger()

RECONNECT_S = 1.0


class Revocations:
    """Listens to the ledger's channel (cancel.lua)."""

    def __init__(self, client: redis.Redis, leases: Leases, prefix: str) -> None:
        self._client = client
        self._leases = leases
        self._channel = f"{prefix}revoked"

    def run(self) -> None:
        """Listen for ever; a Redis that is away is tried again."""
        while True:
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as listener:
                    listener.subscribe(self._channel)
                    for message in listener.listen():
                        self._leases.revoke(message["data"].decode())
            except (redis.RedisError, OSError):
                log.debug("revocations.deaf")
            gevent.sleep(RECONNECT_S)
