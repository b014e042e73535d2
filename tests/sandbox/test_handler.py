"""Reading requests' heads, and sending answers in one piece."""

import io
import socket

import pytest

from sandbox.handler import Head
from tests.sandbox.wire import GROQ


def exchange(sandbox, request):
    """Send raw bytes; returns what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def test_head_is_read_up_to_the_empty_line():
    """Names are found in any case, values without their surrounding spaces; the body stays unread."""
    stream = io.BytesIO(b"Content-Type: text/plain\r\nX-One:  1 \r\n\r\nbody")
    head = Head(stream)
    assert (head.typeheader, head.get("x-ONE"), head.get("other", "none")) == ("text/plain", "1", "none")
    assert stream.read() == b"body"


@pytest.mark.parametrize(
    "head",
    [
        b"no colon\r\n\r\n",
        b": no name\r\n\r\n",
        b"space : x\r\n\r\n",
        b" folded: x\r\n\r\n",
        b"A: b\r\n" * 300 + b"\r\n",
    ],
)
def test_malformed_head_is_refused(sandbox, head):
    """What is no header is a 400, and the connection ends."""
    answer = exchange(sandbox, f"POST {GROQ} HTTP/1.1\r\n".encode() + head)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_line_without_end_is_refused():
    """A header line is not read without end."""
    with pytest.raises(ValueError, match="malformed"):
        Head(io.BytesIO(b"a: " + b"x" * 100_000))


def test_http_1_0_stream_has_no_chunks(sandbox):
    """A caller of HTTP/1.0 gets a stream that ends with the connection."""
    body = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
    head = f"POST {GROQ} HTTP/1.0\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answer = exchange(sandbox, head + body)
    assert b"Transfer-Encoding" not in answer
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"data: {")
    assert answer.endswith(b"data: [DONE]\n\n")


def test_expected_continue_is_given(sandbox):
    """A caller that waits for 100 Continue before its body gets it."""
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    head = f"POST {GROQ} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nExpect: 100-continue\r\nConnection: close"
    answer = exchange(sandbox, f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
