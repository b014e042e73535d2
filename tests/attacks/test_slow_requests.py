"""Callers that keep the server waiting are cut, and hold up nobody."""

import socket
import threading
import time

import pytest

from tests.support import raw_http
from tests.support.raw_http import connect, head, parse, read_all
from tests.support.stack import chat, dump

pytestmark = pytest.mark.integration
BODY = dump(chat("Slowly."))


@pytest.fixture(scope="module")
def api(another_api):
    """An API that waits a second for bytes."""
    return another_api(MODEL_ROUTER_READ_TIMEOUT_S="1")


def trickle(connection, data, stop):
    """Send a byte now and then, for as long as it is taken."""
    try:
        for place in range(len(data)):
            connection.sendall(data[place : place + 1])
            if stop.wait(0.05):
                return
    except OSError:
        pass


def cut(api, at_once, slowly):
    """What a caller is told that sends `slowly` byte by byte after `at_once`."""
    stop = threading.Event()
    with connect(api.port) as connection:
        connection.sendall(at_once)
        sender = threading.Thread(target=trickle, args=(connection, slowly, stop))
        sender.start()
        try:
            return read_all(connection)
        finally:
            stop.set()
            sender.join()


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"G", b"ET /health HTTP/1.1\r\nHost: x\r\n" + b"X-Slow: 1\r\n" * 200),
        (b"GET /health HTTP/1.1\r\n", b"X-Slow: 1\r\n" * 200),
        (head(Content_Length=str(10_000), Content_Type="application/json"), b" " * 5_000),
        (head(Transfer_Encoding="chunked", Content_Type="application/json"), b"1\r\n \r\n" * 1_000),
        (head("/v1/files", Content_Length="10000", Content_Type="multipart/form-data; boundary=x"), b" " * 5_000),
    ],
    ids=["request line", "headers", "body", "chunks", "file"],
)
def test_a_trickle_is_cut(api, at_once, slowly):
    """Head or body byte by byte: 408 in the API's form, and the connection is closed before all was sent."""
    answer = parse(cut(api, at_once, slowly))
    assert answer.status == 408
    assert answer.json()["error"]["code"] == "request_timeout"
    assert answer.rest == b""


def test_silence_within_a_request_is_cut(api):
    """A request that breaks off without a word ends the same way."""
    with connect(api.port) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost:")
        assert parse(read_all(connection)).status == 408


def test_a_head_that_came_with_the_request_before_is_no_way_out(api):
    """Two heads in one piece, and then silence in the second one's body: it is cut like any other."""
    with connect(api.port) as connection:
        connection.sendall(head("/livez", "GET") + head(Content_Length="1000", Content_Type="application/json"))
        first = parse(read_all(connection))
    assert first.status == 200
    assert parse(first.rest).status == 408


def test_slow_callers_hold_up_nobody(api, stack):
    """With 300 unfinished requests open, others are answered."""
    slow = [connect(api.port) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(head(Content_Length="1000"))
        assert stack.post(chat("Quickly."), api=api).status_code == 200
        assert all(parse(read_all(connection)).status == 408 for connection in slow)
    finally:
        for connection in slow:
            connection.close()


def test_a_long_upload_that_makes_progress_is_served(api):
    """More time than the limit, but steady: bytes that come earn time."""
    body = BODY + b" " * 20_000
    with connect(api.port) as connection:
        connection.sendall(head(Content_Length=str(len(body)), Content_Type="application/json", Connection="close"))
        for start in range(0, len(body), 2_000):
            time.sleep(0.15)
            connection.sendall(body[start : start + 2_000])
        assert parse(read_all(connection)).status == 200


def test_the_wait_for_an_answer_is_not_the_callers(api, stack):
    """What the provider takes is not counted, and the connection serves the next request after it."""
    stack.sandbox.behave("*", latency_ms=1_500)
    with connect(api.port) as connection:
        for _ in range(2):
            connection.sendall(head(Content_Length=str(len(BODY)), Content_Type="application/json") + BODY)
            came = b""
            while b"\r\n\r\n" not in came or len(parse(came).body) < int(parse(came).headers["content-length"]):
                came += connection.recv(65_536)
            assert parse(came).status == 200


def test_a_caller_that_hangs_up_in_its_body_is_no_error(api):
    """Half a body and then nothing: 400, and nothing in the log but that."""
    with connect(api.port) as connection:
        connection.sendall(head(Content_Length="1000", Content_Type="application/json") + BODY[:10])
        connection.shutdown(socket.SHUT_WR)
        assert parse(read_all(connection)).status == 400
    assert "Traceback" not in api.logs()


def test_two_requests_at_once_are_two_answers(api):
    """Requests that come in one piece are answered one after the other."""
    first = raw_http.exchange(api.port, head("/livez", "GET") + head("/livez", "GET", Connection="close"))
    assert first.status == 200
    assert parse(first.rest).status == 200
