"""The listening socket and the HTTP server around the application."""

import contextlib
import resource
import signal
import socket
from collections.abc import Callable

import gevent
import gevent.socket
from gevent import pywsgi

from sandbox.app import Sandbox
from sandbox.handler import Handler

BACKLOG = 8192
_STOP_S = 1.0


def listen(host: str, port: int) -> socket.socket:
    """A socket that thousands may connect to at once. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = gevent.socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it; without it a small answer waits for the client's delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener  # type: ignore[no-any-return]


def raise_file_limit() -> None:
    """As many open files as the system allows: one per caller."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # macOS names a hard limit that it does not grant.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(listener: socket.socket, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the URL once connections are taken."""
    server = pywsgi.WSGIServer(listener, Sandbox(), handler_class=Handler, log=None)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.stop, timeout=_STOP_S)
    server.start()
    host, port = listener.getsockname()[:2]
    announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    server.serve_forever()
