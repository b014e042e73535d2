"""One connection on which all greenlets of a process share round trips: what is issued together leaves together."""

from collections.abc import Sequence
from typing import Any

import gevent
import redis
from gevent.event import AsyncResult, Event
from redis.connection import AbstractConnection

# Bounds what one round trip carries, so that a burst can not outlast the command time-out.
MAX_BATCH = 500

Command = Sequence[Any]


class CommandPipeline:
    """Coalesces commands: a lone one leaves at once, those issued while a round trip is under way leave together.

    Nothing waits for a batch to fill, so an idle system pays no latency and a loaded one amortises the round trip
    (docs/architecture.md). Commands must be safe to repeat: when a connection turns
    out to have died they are sent once more on a new one.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: AbstractConnection | None = None
        self._pending: list[tuple[Command, AsyncResult]] = []
        self._wake = Event()
        self._flusher: gevent.Greenlet | None = None

    def call(self, *command: Any) -> Any:
        """Run one command and return its reply; raises redis.RedisError as redis-py would."""
        slot = AsyncResult()
        self._pending.append((command, slot))
        if self._flusher is None or self._flusher.dead:
            self._flusher = gevent.spawn(self._run)
        self._wake.set()
        reply = slot.get()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        """End the flusher and give the connection back."""
        if self._flusher is not None:
            self._flusher.kill()
        self._drop_connection()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._pending:
                batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
                try:
                    replies = self._exchange([command for command, _ in batch])
                except Exception as error:  # noqa: BLE001 (whatever it is, nobody may wait for ever)
                    self._drop_connection()
                    replies = [error] * len(batch)
                for (_, slot), reply in zip(batch, replies, strict=True):
                    slot.set(reply)

    def _exchange(self, commands: list[Command]) -> list[Any]:
        """The replies to `commands` in order; errors stand in the place of the replies they replace."""
        reused = self._connection is not None
        try:
            return self._round_trip(commands)
        except redis.TimeoutError as error:
            self._drop_connection()
            return [error] * len(commands)
        except (redis.ConnectionError, OSError) as error:
            self._drop_connection()
            if reused:
                # The server was restarted since the last command: a new connection may do.
                return self._exchange(commands)
            failure = error if isinstance(error, redis.ConnectionError) else redis.ConnectionError(str(error))
            return [failure] * len(commands)

    def _round_trip(self, commands: list[Command]) -> list[Any]:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        connection = self._connection
        connection.send_packed_command(connection.pack_commands(commands))
        replies: list[Any] = []
        for _ in commands:
            try:
                replies.append(connection.read_response())
            except redis.ResponseError as error:
                replies.append(error)
        return replies

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()
            self._pool.release(connection)  # type: ignore[arg-type]  # redis-py's own pool takes what it gave
