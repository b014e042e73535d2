"""Calls over real sockets: every way they can fail is told as what it is, in time."""

import contextlib
import gzip
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from config.settings import PROJECT_ROOT
from routing.errors import MalformedAnswer, ProviderTimeout, ProviderUnreachable
from workers import open_reply
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
for limit_s in map(float, sys.argv[3:]):
    began = time.monotonic()
    call = Call(sys.argv[1], {}, b"{}")
    try:
        if sys.argv[2] == "open":
            with http.open(call, limit_s) as reply:
                outcome = len(list(reply.pieces()))
        else:
            outcome = http.send(call, limit_s).status
    except ProviderError as error:
        outcome = type(error).__name__
    print(outcome, time.monotonic() - began < limit_s + 1)
"""


def send_in_gevent(url, *limits_s, method="send"):
    """Make one call after another under gevent: each one's outcome, and whether it kept its limit."""
    argv = [sys.executable, "-c", _IN_GEVENT, url, method, *map(str, limits_s)]
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
    monkeypatch.setattr(open_reply, "MAX_ANSWER_BYTES", 1000)

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


STREAM = b"HTTP/1.1 200 OK\r\nX-Name: Value\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def asked(connection):
    """Read one call, whose head and body may come apart; False where the client has left."""
    came = b""
    while not came.endswith(b"{}"):
        data = connection.recv(65536)
        if not data:
            return False
        came += data
    return True


def stream_all(connection):
    """A well-behaved server that streams two chunks and keeps its connection."""
    with connection:
        while asked(connection):
            connection.sendall(STREAM + chunk(b"one"))
            connection.sendall(chunk(b"two") + END)


def test_a_stream_is_read_as_it_comes(http):
    """Status, headers and the first piece are there while the server still waits to send the second."""
    go_on = threading.Event()

    def serve(connection):
        asked(connection)
        connection.sendall(STREAM + chunk(b"one")[:-2])
        if go_on.wait(5):
            connection.sendall(b"\r\n" + chunk(b"two") + END)

    with server(serve) as (url, _), http.open(call(url), 5) as reply:
        assert (reply.status, reply.headers["x-name"]) == (200, "Value")
        pieces = reply.pieces()
        assert next(pieces) == b"one"
        go_on.set()
        assert b"".join(pieces) == b"two"


def test_a_stream_read_to_its_end_gives_its_connection_back(http):
    """Streams and whole answers, one after another, share a connection."""
    with server(stream_all) as (url, accepted):
        for _ in range(3):
            with http.open(call(url), 5) as reply:
                assert b"".join(reply.pieces()) == b"onetwo"
            assert http.send(call(url), 5).body == b"onetwo"
            with http.open(call(url), 5) as reply:
                assert reply.read().body == b"onetwo"
        assert len(accepted) == 1


def test_a_stream_that_is_left_is_closed(http):
    """The server sees the connection close, and the next call opens another."""
    closed = threading.Event()

    def serve(connection):
        asked(connection)
        connection.sendall(STREAM + chunk(b"one"))
        if not asked(connection):
            closed.set()

    with server(serve) as (url, accepted):
        for _ in range(2):
            with http.open(call(url), 5) as reply:
                assert next(reply.pieces()) == b"one"
            assert closed.wait(5)
            closed.clear()
        assert len(accepted) == 2


@pytest.mark.parametrize(
    "sent", [b"", chunk(b"one"), chunk(b"one")[:-4], chunk(b"one") + b"5", chunk(b"one") + b"zz\r\n"]
)
def test_a_stream_that_is_cut_is_unreachable(http, sent):
    """A chunked body that ends anywhere before its last chunk, or is no chunk, is told."""

    def cut(connection):
        with connection:
            asked(connection)
            connection.sendall(STREAM + sent)

    with server(cut) as (url, _), http.open(call(url), 5) as reply, pytest.raises(ProviderUnreachable):
        list(reply.pieces())


def test_a_counted_body_that_is_cut_is_unreachable(http):
    """A body shorter than its Content-Length is told, piece by piece as well."""

    def cut(connection):
        with connection:
            asked(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    with server(cut) as (url, _), http.open(call(url), 5) as reply, pytest.raises(ProviderUnreachable):
        list(reply.pieces())


@pytest.mark.parametrize("headers", ["Content-Length: 6\r\n", "Connection: close\r\n"], ids=["counted", "to the end"])
def test_a_body_without_chunks_is_read(http, headers):
    """Counted, and ended by the connection's end."""

    def serve(connection):
        with connection:
            asked(connection)
            connection.sendall(f"HTTP/1.1 200 OK\r\n{headers}\r\nonetwo".encode())

    with server(serve) as (url, _), http.open(call(url), 5) as reply:
        assert b"".join(reply.pieces()) == b"onetwo"


def test_a_compressed_stream_is_read(http):
    """Gzip within chunks is taken off."""
    packed = gzip.compress(b"one" * 1000)

    def serve(connection):
        with connection:
            asked(connection)
            head = STREAM.replace(b"X-Name: Value", b"Content-Encoding: gzip")
            connection.sendall(head + chunk(packed[:10]) + chunk(packed[10:]) + END)

    with server(serve) as (url, _), http.open(call(url), 5) as reply:
        assert b"".join(reply.pieces()) == b"one" * 1000


@pytest.mark.parametrize("sent", [STREAM, STREAM + chunk(b"one")], ids=["first", "next"])
def test_a_stream_that_stalls_times_out(http, sent):
    """Each wait for a next piece is bounded."""

    def stall(connection):
        asked(connection)
        connection.sendall(sent)
        connection.recv(65536)

    with server(stall) as (url, _), http.open(call(url), 0.2) as reply, pytest.raises(ProviderTimeout):
        list(reply.pieces())


def test_an_endless_stream_is_malformed(http, monkeypatch):
    """A stream over the limit is ended."""
    monkeypatch.setattr(open_reply, "MAX_ANSWER_BYTES", 1000)

    def flood(connection):
        asked(connection)
        connection.sendall(STREAM + chunk(b"x" * 600) * 2)

    with server(flood) as (url, _), http.open(call(url), 5) as reply, pytest.raises(MalformedAnswer):
        list(reply.pieces())


def test_a_call_after_a_stream_may_wait_longer(http):
    """The time-out of a stream's waits does not stay with its connection."""

    def serve(connection):
        with connection:
            asked(connection)
            connection.sendall(STREAM + END)
            asked(connection)
            time.sleep(0.4)
            connection.sendall(GOOD)

    with server(serve) as (url, accepted):
        with http.open(call(url), 0.2) as reply:
            assert list(reply.pieces()) == []
        assert http.send(call(url), 5).status == 200
        assert len(accepted) == 1


def test_an_open_call_without_an_answer_ends_at_the_limit():
    """Under gevent, as in a worker: the headers come within the limit, and so does each piece."""

    def drip(connection):
        asked(connection)
        for byte in STREAM[:-2] * 10:
            time.sleep(0.02)
            connection.send(bytes([byte]))

    with server(drip) as (url, _):
        assert send_in_gevent(url, 0.5, method="open") == ["ProviderTimeout True"]

    def stall(connection):
        asked(connection)
        connection.sendall(STREAM + chunk(b"one"))
        connection.recv(65536)

    with server(stall) as (url, _):
        assert send_in_gevent(url, 0.5, method="open") == ["ProviderTimeout True"]
