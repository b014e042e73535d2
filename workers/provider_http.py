"""One provider's HTTP connections: `requests` with what it does per call done once per address.

Preparing, merging and looking up cost `requests` about as much per call as sending does, so its session resolves
proxies, certificates and the connection pool once, and calls go through that pool.
"""

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import gevent
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from routing.errors import MalformedAnswer, ProviderTimeout, ProviderUnreachable
from workers.providers.base import Call, Reply

CONNECT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Made once: urllib3 would make one for every call.
_NO_RETRIES = urllib3.Retry(total=False, redirect=False)
_TIMEOUT = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=None)


@dataclass(frozen=True, slots=True)
class _Route:
    """How one URL is reached: its pool, and the target to put in the request line (a full URL through a proxy)."""

    pool: Any
    target: str


class ProviderHttp:
    """Sends calls and reads answers. Translates every failure to connect, to read or to end into a ProviderError."""

    def __init__(self, concurrency: int) -> None:
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_connections=8, pool_maxsize=concurrency, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._routes: dict[str, _Route] = {}

    def send(self, call: Call, timeout_s: float) -> Reply:
        """The provider's whole answer within `timeout_s`, or ProviderTimeout, ProviderUnreachable, MalformedAnswer."""
        # The whole call is bounded here: a socket's own time-out starts anew with every byte that drips in.
        limit = gevent.Timeout(timeout_s)
        limit.start()
        try:
            return self._exchange(call)
        except gevent.Timeout as expired:
            if expired is not limit:
                raise
            raise ProviderTimeout(f"no answer within {timeout_s:.1f} s") from None
        finally:
            limit.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _exchange(self, call: Call) -> Reply:
        route = self._routes.get(call.url) or self._resolve(call.url)
        response: Any = None
        try:
            response = route.pool.urlopen(
                call.method,
                route.target,
                body=call.body or None,
                headers=call.headers,
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=_TIMEOUT,
                preload_content=False,
                decode_content=True,
            )
            body = response.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                raise MalformedAnswer(f"the provider's answer is over {MAX_ANSWER_BYTES} bytes")
            reply = Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
            response.release_conn()
            response = None
        except Urllib3TimeoutError as error:
            if isinstance(error, NewConnectionError):
                raise ProviderUnreachable(_why(error)) from error
            raise ProviderTimeout(f"no connection within {CONNECT_TIMEOUT_S:.0f} s") from error
        except (HTTPError, OSError) as error:
            raise ProviderUnreachable(_why(error)) from error
        finally:
            # Left half read (an error, the limit, a cancelled job): the connection must not be used again.
            if response is not None:
                response.close()
        return reply

    def _resolve(self, url: str) -> _Route:
        """Find the pool of `url` as `requests` would, with the environment's proxies and certificates."""
        prepared = requests.Request("POST", url).prepare()
        settings = self._session.merge_environment_settings(url, {}, stream=False, verify=None, cert=None)
        adapter = self._session.get_adapter(url)
        if not isinstance(adapter, HTTPAdapter):  # pragma: no cover - both schemes are mounted above
            raise TypeError(f"no HTTP adapter for {url}")
        pool = adapter.get_connection_with_tls_context(
            prepared, settings["verify"], proxies=settings["proxies"], cert=settings["cert"]
        )
        route = _Route(pool, adapter.request_url(prepared, settings["proxies"]))
        self._routes[url] = route
        return route


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
