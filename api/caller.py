"""The connection of a caller that waits: whether anybody is still there to be answered."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gevent
from flask import request

from api.waiters import Waiter
from workers.ledger.record import Ended

# Most requests are answered sooner; only then is it worth watching for a caller that goes.
FIRST_S = 0.1
_READABLE = 1


class CallerGone(Exception):
    """The caller closed its connection while it waited."""


class Connection:
    """The socket of one request. Without one (a test client) nobody ever goes."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        given = environ.get("gunicorn.socket")
        # The plain socket under gevent's: gevent's own recv would wait.
        self._plain: socket.socket | None = getattr(given, "_sock", given)

    @property
    def gone(self) -> bool:
        """Whether the other side has closed. A peek, so that nothing of a next request is taken."""
        if self._plain is None:
            return False
        try:
            return self._plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    @contextmanager
    def watched(self, leave: Callable[[], None]) -> Iterator[None]:
        """In this block, `leave` is called as soon as the other side closes; it must not wait for anything."""
        if self._plain is None or self._plain.fileno() < 0:
            yield
            return
        watcher = gevent.get_hub().loop.io(self._plain.fileno(), _READABLE)

        def look() -> None:
            # Readable and not closed: a next request is there already, and hides what comes after it.
            watcher.stop()
            if self.gone:
                leave()

        watcher.start(look)
        try:
            yield
        finally:
            watcher.stop()
            watcher.close()


def wait_for(waiter: Waiter, wait_s: float) -> Ended | None:
    """How the job ended, or None when the wait ended first; CallerGone when there is nobody left to tell."""
    ended = waiter.wait(min(FIRST_S, wait_s))
    if ended is not None or wait_s <= FIRST_S:
        return ended
    connection = Connection(request.environ)
    with connection.watched(waiter.leave):
        ended = waiter.wait(wait_s - FIRST_S)
    if ended is None and connection.gone:
        raise CallerGone
    return ended
