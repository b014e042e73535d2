"""One provider's HTTP connections: `requests` with what it does per call done once per address.

Preparing, merging and looking up cost `requests` about as much per call as sending does, so its session resolves
proxies, certificates and the connection pool once, and calls go through that pool.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from workers.connection_errors import CONNECT_TIMEOUT_S, bounded, translated
from workers.open_reply import OpenReply
from workers.providers.base import Call, Reply

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
        with bounded(timeout_s):
            response = self._request(call, _TIMEOUT)
            try:
                return OpenReply(response, timeout_s).whole()
            finally:
                # Left half read (an error, the limit, a cancelled job): the connection must not be used again.
                response.close()

    @contextmanager
    def open(self, call: Call, timeout_s: float) -> Iterator[OpenReply]:
        """The provider's answer, its body yet to be read, with its headers within `timeout_s`; errors as `send`'s.

        `timeout_s` bounds each wait for a next piece of the body, too. Leaving the block before the body's end closes
        the connection.
        """
        # A stream's waits are bounded by its socket, which starts a timer only where it has to wait.
        with bounded(timeout_s):
            response = self._request(call, urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s))
        try:
            yield OpenReply(response, timeout_s)
        finally:
            response.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _request(self, call: Call, timeout: urllib3.Timeout) -> Any:
        """The answer's head, its body unread."""
        route = self._routes.get(call.url) or self._resolve(call.url)
        with translated():
            return route.pool.urlopen(
                call.method,
                route.target,
                body=call.body or None,
                headers=call.headers,
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=True,
            )

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
