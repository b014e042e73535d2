"""A caller's connection that is cut when its request, or its taking of the answer, makes no progress."""

import errno
import time
from typing import Any

from routing.passage_errors import RequestTooSlow

# So many bytes earn a request another second; as mod_reqtimeout does it.
_BYTES_PER_S = 4096
# A caller that takes nothing of its answer for so long is gone.
_SEND_S = 120.0


class PacedSocket:
    """Stands in for gevent's socket of one connection.

    The wait for a request's first byte is gunicorn's to bound (keep-alive). From then on all waits for its bytes
    together may take `limit_s`, and what comes earns more: a trickle ends, a long upload does not. What the
    application does meanwhile is not counted.
    """

    def __init__(self, plain: Any, limit_s: float, send_s: float = _SEND_S) -> None:
        self._plain = plain
        self._send_s = send_s
        self._limit_s = limit_s
        self._left_s = limit_s
        self._between = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def rest(self) -> None:
        """The next request may come whenever it wants to."""
        self._between = True

    def begin(self) -> None:
        """A request is here, though its head may have come with the one before: from now on waits count."""
        if self._between:
            self._between, self._left_s = False, self._limit_s

    def recv(self, size: int) -> bytes:
        """The next bytes; RequestTooSlow where they take too long."""
        if self._between:
            data: bytes = self._plain.recv(size)
            self.begin()
            return data
        began = time.monotonic()
        # A number, and a timer only where there is nothing to read yet.
        self._plain.settimeout(self._left_s)
        try:
            data = self._plain.recv(size)
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            self._plain.settimeout(None)
        earned = len(data) / _BYTES_PER_S
        self._left_s = min(self._left_s - (time.monotonic() - began) + earned, self._limit_s)
        if self._left_s <= 0:
            raise self._too_slow()
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of `data`; ConnectionResetError where the other side takes none of it for long."""
        left = memoryview(data)
        self._plain.settimeout(self._send_s)
        try:
            while left:
                left = left[self._plain.send(left) :]
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, f"nothing was taken for {self._send_s:g} s") from None
        finally:
            self._plain.settimeout(None)

    def _too_slow(self) -> RequestTooSlow:
        # What comes next must not be waited for, whoever asks.
        self._left_s = 0.001
        return RequestTooSlow(f"the request came too slowly: more than {self._limit_s:g} s were spent waiting for it")
