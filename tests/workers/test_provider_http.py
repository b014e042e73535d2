"""Calls over real sockets: every way they can fail is told as what it is, in time."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from config.settings import PROJECT_ROOT
from routing.errors import MalformedAnswer, ProviderUnreachable
from workers import provider_http
from workers.provider_http import ProviderHttp
from workers.providers.base import Call

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name: Value\r\n\r\n{}"


@contextmanager
def server(serve):
    """A raw server on loopback; `serve(connection)` is run for each connection. Yields the URL and the connections."""
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        done = threading.Event()

        def guarded(connection):
            # The client may leave first; that is its business.
            with contextlib.suppress(OSError):
                serve(connection)

        def accept():
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                accepted.append(connection)
                threading.Thread(target=guarded, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", accepted
        finally:
            done.set()
            thread.join()
            for connection in accepted:
                connection.close()


def answer_all(connection):
    """A well-behaved server that keeps its connection."""
    with connection:
        while connection.recv(65536):
            connection.sendall(GOOD)


@pytest.fixture
def http(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    http = ProviderHttp(concurrency=4)
    yield http
    http.close()


def call(url):
    return Call(url, {"Content-Type": "application/json"}, b"{}")


def test_an_answer_is_read_whole(http):
    """Status, headers in lower case and body come back."""
    with server(answer_all) as (url, _):
        reply = http.send(call(url), 5)
    assert (reply.status, reply.headers["x-name"], reply.body) == (200, "Value", b"{}")


def test_connections_are_kept(http):
    """Calls one after another share a connection."""
    with server(answer_all) as (url, accepted):
        for _ in range(3):
            http.send(call(url), 5)
        assert len(accepted) == 1


def test_a_refused_connection_is_unreachable(http):
    """Nobody listening is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ProviderUnreachable):
        http.send(call(f"http://127.0.0.1:{port}/v1"), 5)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"not http at all\r\n\r\n"])
def test_a_connection_that_ends_early_is_unreachable(http, sent):
    """An answer cut anywhere is no answer."""

    def cut(connection):
        with connection:
            connection.recv(65536)
            connection.sendall(sent)

    with server(cut) as (url, _), pytest.raises(ProviderUnreachable):
        http.send(call(url), 5)


# What a worker is: gevent has replaced the blocking parts before anything else was loaded.
_IN_GEVENT = """
from gevent import monkey; monkey.patch_all()
import sys, time
from config.settings import PROJECT_ROOT
from routing.errors import ProviderError
from workers.provider_http import ProviderHttp
from workers.providers.base import Call
http = ProviderHttp(concurrency=4)
for limit_s in map(float, sys.argv[2:]):
    began = time.monotonic()
    try:
        outcome = http.send(Call(sys.argv[1], {}, b"{}"), limit_s).status
    except ProviderError as error:
        outcome = type(error).__name__
    print(outcome, time.monotonic() - began < limit_s + 1)
"""


def send_in_gevent(url, *limits_s):
    """Make one call after another under gevent: each one's outcome, and whether it kept its limit."""
    argv = [sys.executable, "-c", _IN_GEVENT, url, *map(str, limits_s)]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(
        argv, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    return ran.stdout.splitlines()


def test_a_dripping_answer_ends_at_the_limit():
    """The limit is on the whole call, not on each byte."""

    def drip(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            time.sleep(0.05)
            connection.send(b"x")

    with server(drip) as (url, _):
        assert send_in_gevent(url, 0.5) == ["ProviderTimeout True"]


def test_a_connection_left_half_read_is_not_used_again():
    """After a time-out the next call starts on a new connection."""

    def first_stalls(connection):
        connection.recv(65536)
        if len(accepted) > 1:
            connection.sendall(GOOD)

    with server(first_stalls) as (url, accepted):
        assert send_in_gevent(url, 0.5, 5) == ["ProviderTimeout True", "200 True"]
        assert len(accepted) == 2


def test_an_endless_answer_is_malformed(http, monkeypatch):
    """An answer over the limit is not kept in memory."""
    monkeypatch.setattr(provider_http, "MAX_ANSWER_BYTES", 1000)

    def flood(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)

    with server(flood) as (url, _), pytest.raises(MalformedAnswer):
        http.send(call(url), 5)


def test_redirects_are_not_followed(http):
    """A provider that redirects is misconfigured: its key must not travel."""

    def redirect(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n")

    with server(redirect) as (url, _):
        assert http.send(call(url), 5).status == 307
