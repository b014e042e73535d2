"""How a process shows that it is ready: predicates over a running process."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable

from cli.process import Process

Readiness = Callable[[Process], bool]


def logged(text: str) -> Readiness:
    """Ready once it has written `text` to its log since it started."""
    return lambda process: text in process.output()


def alive_for(seconds: float) -> Readiness:
    """Ready once it has run this long: for what gives no other sign."""
    return lambda process: process.age_s >= seconds


def accepts(host: str, port: int) -> Readiness:
    """Ready once it accepts a connection."""

    def check(_process: Process) -> bool:
        try:
            with socket.create_connection((host, port), timeout=0.5):
                return True
        except OSError:
            return False

    return check


def http_answers(url: str) -> Readiness:
    """Ready once a GET is answered, with whatever status."""

    def check(_process: Process) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - a URL we built, http
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    return check
