"""What goes wrong with a connection to a provider, as a ProviderError, and the limit in time of what is done on it."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from routing.errors import ProviderTimeout, ProviderUnreachable

CONNECT_TIMEOUT_S = 10.0


@contextmanager
def bounded(timeout_s: float) -> Iterator[None]:
    """ProviderTimeout where the block takes longer than `timeout_s`."""
    limit = gevent.Timeout(timeout_s)
    limit.start()
    try:
        yield
    except gevent.Timeout as expired:
        if expired is not limit:
            raise
        raise ProviderTimeout(f"no answer within {timeout_s:.1f} s") from None
    finally:
        limit.close()


@contextmanager
def translated() -> Iterator[None]:
    """ProviderTimeout or ProviderUnreachable for any failure to connect, to send or to read in the block."""
    try:
        yield
    # The socket's own time-out, which only an open stream has.
    except (ReadTimeoutError, TimeoutError) as error:
        raise ProviderTimeout("nothing came for as long as the call may wait") from error
    except Urllib3TimeoutError as error:
        if isinstance(error, NewConnectionError):
            raise ProviderUnreachable(_why(error)) from error
        raise ProviderTimeout(f"no connection within {CONNECT_TIMEOUT_S:.0f} s") from error
    except (HTTPError, OSError) as error:
        raise ProviderUnreachable(_why(error)) from error


# What the innermost cause of a failed connection is called; the first that fits.
_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the name could not be resolved"),
    (ConnectionRefusedError, "it was refused"),
    # A subclass of ConnectionResetError.
    (http.client.RemoteDisconnected, "it was closed without an answer"),
    (ConnectionResetError, "it was reset"),
    (BrokenPipeError, "it was closed while the request was sent"),
    (http.client.IncompleteRead, "it was closed in the middle of the answer"),
    (ssl.SSLError, "TLS failed"),
)


def _why(error: BaseException) -> str:
    """What went wrong, in words, without addresses or memory locations of the client's objects."""
    cause = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    for kind, words in _CAUSES:
        if isinstance(cause, kind):
            return f"the connection failed: {words}"
    return f"the connection failed: {type(cause).__name__}"
