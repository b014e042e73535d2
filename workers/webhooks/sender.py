"""One POST to a receiver. Refuses addresses inside the network unless the operator allows them.

requests-hardened resolves the host, checks the address and connects to that one: a name that resolves to something else
the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
import requests
import requests.auth
import requests_hardened
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from workers.webhooks.retries import parse_retry_after

_CONNECT_S = 5.0
# Azure's platform service: a public address that every virtual machine there reaches, and nobody else.
_PLATFORM = ipaddress.ip_address("168.63.129.16")
# All of IPv6 that is given out. What else there is (site-local, IPv4 in other disguises) leads inside, or nowhere.
_GLOBAL = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went: the receiver's status, or why there is none."""

    status: int | None
    error: str
    # Unix seconds.
    started_at: float
    duration_ms: int
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """410: the receiver wants no more (Standard Webhooks)."""
        return self.status == 410


class Sender:
    """Sends within `timeout_s`; `open_network` says whether addresses inside the network may be asked now."""

    def __init__(self, timeout_s: float, open_network: Callable[[], bool]) -> None:
        self._timeout_s = timeout_s
        self._open_network = open_network

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Make the call; whatever goes wrong with it is what it returns."""
        started_at, began = time.time(), time.monotonic()
        status, retry_after, error = None, None, ""
        try:
            with gevent.Timeout(self._timeout_s), self._session() as session:
                # Streamed and closed unread: what a receiver answers is of no use here, and may be endless.
                response = session.request("POST", url, data=body, headers=dict(headers), stream=True)
                status, retry_after = response.status_code, response.headers.get("Retry-After")
                response.close()
        except gevent.Timeout:
            error = f"no answer within {self._timeout_s:g} s"
        except (requests.RequestException, OSError, ValueError) as problem:
            # The name only: the words of some hold addresses of our own network.
            error = type(problem).__name__
        duration_ms = round((time.monotonic() - began) * 1000)
        return Sent(status, error, started_at, duration_ms, parse_retry_after(retry_after, time.time()))

    def _session(self) -> requests.Session:
        open_network = self._open_network()
        config = requests_hardened.Config(
            ip_filter_enable=not open_network,
            ip_filter_allow_loopback_ips=open_network,
            never_redirect=True,
            default_timeout=(min(_CONNECT_S, self._timeout_s), self._timeout_s),
            user_agent_override="model-router",
        )
        session: requests.Session = requests_hardened.HTTPSession(config)
        session.auth = _Nobody()
        if not open_network:
            session.mount("http://", _Guard(is_https_proto=False))
            session.mount("https://", _Guard(is_https_proto=True))
        return session


class _Guard(IPFilterAdapter):  # type: ignore[misc]  # the library has no types
    """As the library's own filter, which knows private and reserved ranges, and a few more."""

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        """The address to connect to, checked."""
        host, options = super().build_connection_pool_key_attributes(*arguments, **options)
        address = ipaddress.ip_address(host["host"].strip("[]"))
        if address == _PLATFORM or (address.version == 6 and address not in _GLOBAL):
            raise InvalidIPAddress(address)
        return host, options


class _Nobody(requests.auth.AuthBase):
    """No credentials: else requests would look for some in the machine's own .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
