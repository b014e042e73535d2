"""The connection of a caller that waits: whether anybody is still there to be answered."""

import socket
import time

from flask import request

from api.waiters import Waiter
from workers.ledger.record import Ended

# How often a waiting request looks whether its caller is still there. Most are answered before the first look.
LOOK_S = 1.0


class CallerGone(Exception):
    """The caller closed its connection while it waited."""


def wait_for(waiter: Waiter, wait_s: float) -> Ended | None:
    """How the job ended, or None when the wait ended first; CallerGone when there is nobody left to tell."""
    deadline = time.monotonic() + wait_s
    while True:
        remaining_s = deadline - time.monotonic()
        ended = waiter.wait(max(0.0, min(LOOK_S, remaining_s)))
        if ended is not None or remaining_s <= LOOK_S:
            return ended
        if _is_gone(request.environ.get("gunicorn.socket")):
            raise CallerGone


def _is_gone(connection: socket.socket | None) -> bool:
    """Whether the other side has closed. A peek, so that nothing of a next request is taken."""
    if connection is None:
        return False
    # The plain socket under gevent's: gevent's own recv would wait.
    plain: socket.socket = getattr(connection, "_sock", connection)
    try:
        return plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
