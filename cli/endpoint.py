"""Whether an HTTP endpoint can be connected to. Nothing is sent to it."""

import socket
import ssl
import urllib.request
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def shown_endpoint(url: str) -> str:
    """Scheme, host and port only: a path or query may hold a key."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def reach(url: str, timeout_s: float = 3.0) -> str | None:
    """None once a TCP connection (and TLS handshake, for https) stands; otherwise the reason in words.

    Where the system's settings name a proxy for the URL, only the proxy is tried.
    """
    parts = urlsplit(url)
    proxy = _proxy(parts)
    target = urlsplit(proxy) if proxy else parts
    host, port = target.hostname, target.port or _DEFAULT_PORTS.get(target.scheme)
    if not host or not port:
        return "the URL has no host"
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            if target.scheme == "https":
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLError as error:
        return f"TLS: {error.reason or error}"
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except socket.gaierror:
        return f"{host} has no address"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _proxy(parts: SplitResult) -> str | None:
    if parts.hostname is None or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)
