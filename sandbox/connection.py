"""The socket under one call: waiting on it, noticing that the client left, and breaking it."""

import socket
import struct
import time

import gevent
from gevent.socket import timeout as wait_timeout
from gevent.socket import wait_read


class Connection:
    """A client's connection; the server puts it into the WSGI environment under `KEY`."""

    KEY = "sandbox.connection"

    __slots__ = ("_socket",)

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def gone(self) -> bool:
        """Whether the client has closed its side. Costs one system call."""
        before = self._socket.gettimeout()
        self._socket.settimeout(0.0)
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(before)

    def wait(self, seconds: float) -> bool:
        """Sleep; returns False as soon as the client has left."""
        end = time.monotonic() + seconds
        if seconds > 0:
            try:
                wait_read(self._socket.fileno(), seconds)
            except wait_timeout:
                return not self.gone()
        if self.gone():
            return False
        # The client sent more before its answer: nothing tells of its leaving until that is read.
        gevent.sleep(max(0.0, end - time.monotonic()))
        return not self.gone()

    def reset(self) -> None:
        """Make the close that follows send RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
