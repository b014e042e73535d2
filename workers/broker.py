"""The workers' kombu transport: takes messages in batches and remembers none of them in Redis.

A message here is only a pointer to a job or a delivery that the ledger remembers, so what kombu does to get a
message back (an unacknowledged index, visibility time-outs, restoring at shutdown) is left out: the rescue
publishes again whatever was lost. What stays is the prefetch window, kept in memory: a worker takes no more
than it has free slots for, so priorities hold up to the moment a job starts.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

import redis
import structlog
from gevent.event import Event
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual

from routing.job import PRIORITY_STEPS
from workers.gaps import Gaps

log = structlog.get_logger()

# One round trip takes at most this many messages, so that a burst is shared between worker processes.
MAX_BATCH = 64
# How soon to look again whether there is room for lines of batches.
LINES_LOOK_S = 0.02


class Window(virtual.QoS):
    """The prefetch window: which messages this process is working on. In memory only."""

    # The ledger's rescue gives back what a stopped worker held.
    restore_at_shutdown = False
    # How many messages this process may be working on, where that changes while it runs; set when a worker starts.
    bound: ClassVar[Callable[[], int] | None] = None
    # What lines of batches may take of this process; they are those of the last priority step.
    gaps: ClassVar[Gaps] = Gaps()

    def __init__(self, channel: Any, prefetch_count: int = 0) -> None:
        super().__init__(channel, prefetch_count)
        self._room = Event()

    def ack(self, delivery_tag: str) -> None:
        """Forget a message and let the consumer take another."""
        delivered: dict[str, Any] = self._delivered or {}
        message = delivered.get(delivery_tag)
        if message is not None and message.properties.get("priority") == PRIORITY_STEPS[-1]:
            self.gaps.end()
        super().ack(delivery_tag)
        self._room.set()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 (kombu's)
        """Forget a message; a pointer is never put back, because the ledger publishes it again."""
        self.ack(delivery_tag)

    def restore_unacked(self) -> list[Any]:
        """Forget everything: see the module's docstring."""
        self._delivered.clear()
        self._dirty.clear()
        return []

    def wait_for_room(self, timeout: float) -> int:
        """How many messages may be taken now, waiting up to `timeout` seconds for one to be done; 0 if none was."""
        self._room.clear()
        room = self._room_now()
        if room == 0:
            self._room.wait(timeout)
            room = self._room_now()
        return room

    def _room_now(self) -> int:
        room: int | None = self.can_consume_max_estimate()
        room = MAX_BATCH if room is None else min(room, MAX_BATCH)
        bound = type(self).bound
        if bound is not None:
            room = min(room, bound() - (len(self._delivered or ()) - len(self._dirty or ())))
        return max(room, 0)


class Channel(kombu_redis.Channel):
    """A Redis channel whose task queues are read with BLMPOP, several messages a round trip."""

    QoS = Window

    def take(self, timeout: float) -> None:
        """Deliver what is ready, waiting up to `timeout` seconds; raises socket.timeout when nothing came."""
        room = self.qos.wait_for_room(timeout)
        if room == 0:
            raise TimeoutError
        steps, wait_s = self.priority_steps, min(timeout, self.connection.brpop_timeout)
        for_lines = Window.gaps.room
        if for_lines == 0:
            # Nobody says when there is room for lines again.
            steps, wait_s = steps[:-1], min(wait_s, LINES_LOOK_S)
        # The order rotates so that a busy queue of this worker does not starve its others.
        queues = self._queue_cycle.consume(len(self.active_queues))
        lists = {
            f"{self.global_keyprefix}{self._q_for_pri(queue, priority)}": queue
            for priority in steps
            for queue in queues
        }
        reply = self.consumer.execute_command(
            "BLMPOP", wait_s, len(lists), *lists, "RIGHT", "COUNT", min(room, for_lines or room)
        )
        if not reply:
            raise TimeoutError
        name, messages = reply
        queue = lists[name.decode()]
        self._queue_cycle.rotate(queue)
        for text in messages:
            try:
                message = json.loads(text)
            except ValueError:
                log.exception("broker.malformed_message", queue=queue, size_bytes=len(text))
            else:
                Window.gaps.begin(line=message["properties"].get("priority") == PRIORITY_STEPS[-1])
                self.connection._deliver(message, queue)  # noqa: SLF001 (kombu's hook for transports)

    @property
    def consumer(self) -> redis.Redis:
        """The client that waits in the server; its own connection, closed with the channel."""
        client: redis.Redis | None = self.__dict__.get("_consumer")
        if client is None:
            # Plain redis-py: the keys above carry their prefix already.
            client = redis.Redis(connection_pool=self.pool)
            self.__dict__["_consumer"] = client
        return client


class Transport(kombu_redis.Transport):
    """kombu's Redis transport with the channel above; remote control still goes kombu's own way."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver the next messages of this connection; raises socket.timeout when none came in time."""
        for channel in self.channels:
            if channel.active_queues:
                channel.take(1.0 if timeout is None else timeout)
                return
        super().drain_events(connection, timeout=timeout)
