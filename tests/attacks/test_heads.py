"""Heads that two servers may read in two ways, and heads that are too large: refused, and not repeated."""

import pytest

from api.security_headers import ALWAYS
from tests.support.raw_http import exchange, head
from tests.support.stack import KEY, chat, dump

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("unharmed")]
BODY = dump(chat("Not to be served."))
JSON = {"Content_Type": "application/json"}
LENGTH = str(len(BODY))
CHUNKED = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
# What would be a second request if the first were read in another way.
SMUGGLED = head("/v1/models", "GET")


def raw(line, *lines):
    """A request's head with these lines as they are."""
    return "\r\n".join((line, "Host: x", f"Authorization: Bearer {KEY}", *lines, "", "")).encode("latin-1")


POST = "POST /v1/chat/completions HTTP/1.1"
AMBIGUOUS = {
    "length and chunks": head(Content_Length=LENGTH, Transfer_Encoding="chunked", **JSON) + CHUNKED,
    "two lengths": raw(POST, f"Content-Length: {LENGTH}", "Content-Length: 5") + BODY,
    "the same length twice": raw(POST, f"Content-Length: {LENGTH}", f"Content-Length: {LENGTH}") + BODY,
    "a list of lengths": raw(POST, f"Content-Length: {LENGTH}, {LENGTH}") + BODY,
    "a signed length": raw(POST, f"Content-Length: +{LENGTH}") + BODY,
    "a negative length": raw(POST, "Content-Length: -1") + BODY,
    "a length in hexadecimal": raw(POST, "Content-Length: 0x10") + BODY,
    "a length with a space in it": raw(POST, "Content-Length: 1 0") + BODY,
    "chunks twice": raw(POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + CHUNKED,
    "chunks and then not": raw(POST, "Transfer-Encoding: chunked, identity") + CHUNKED,
    "chunks of another name": raw(POST, "Transfer-Encoding: xchunked") + CHUNKED,
    "chunks with a tab before": raw(POST, "Transfer-Encoding: \x0bchunked") + CHUNKED,
    "chunks in HTTP/1.0": raw("POST /v1/chat/completions HTTP/1.0", "Transfer-Encoding: chunked") + CHUNKED,
    "a space before the colon": raw(POST, "Content-Length : 5") + BODY,
    "a folded header": raw(POST, "Content-Length: 5", " 6") + BODY,
    "a folded first header": raw(POST, " X: y") + BODY,
    "a bare line feed": raw(POST, "X: y\nTransfer-Encoding: chunked") + CHUNKED,
    "a bare carriage return": raw(POST, "X: y\rTransfer-Encoding: chunked") + CHUNKED,
    "NUL in a value": raw(POST, "X: a\0b", f"Content-Length: {LENGTH}") + BODY,
    "NUL in a name": raw(POST, "X\0: a", f"Content-Length: {LENGTH}") + BODY,
    "a header without a name": raw(POST, ": a") + BODY,
    "a header without a colon": raw(POST, "Transfer-Encoding chunked") + CHUNKED,
    "two hosts": raw(POST, "Host: y", f"Content-Length: {LENGTH}") + BODY,
    "no version": b"POST /v1/chat/completions\r\n\r\n",
    "another version": raw("POST /v1/chat/completions HTTP/3.7") + BODY,
    "a method with a line in it": raw("PO\nST /v1/chat/completions HTTP/1.1") + BODY,
    "a control character in the path": raw("POST /v1/chat\x07/completions HTTP/1.1") + BODY,
    "a space in the path": raw("POST /v1/chat /completions HTTP/1.1") + BODY,
    "no request at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_an_ambiguous_head_is_refused_and_nothing_behind_it_is_read(port, sent):
    """4xx or 501 in our form, the connection ends, and what follows is not taken for a second request."""
    answer = exchange(port, sent + SMUGGLED)
    assert 400 <= answer.status < 500 or answer.status in (501, 505)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.rest == b""
    for name, value in ALWAYS:
        assert answer.headers[name.lower()] == value
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (raw("GET /" + "a" * 9_000 + " HTTP/1.1"), 414),
        (raw("GET /?" + "a" * 100_000 + " HTTP/1.1"), 414),
        (raw("GET /livez HTTP/1.1", "X: " + "a" * 9_000), 431),
        (raw("GET /livez HTTP/1.1", *(f"X-{number}: a" for number in range(101))), 431),
        (raw("GET /livez HTTP/1.1", *(f"X-{number}: {'a' * 8_000}" for number in range(150))), 431),
        (raw("GET /livez HTTP/1.1", f"Authorization: Bearer {'a' * 9_000}"), 431),
        (raw("GET /livez HTTP/1.1", "Expect: a-miracle"), 417),
    ],
    ids=["path", "query", "header", "headers", "all headers", "key", "expectation"],
)
def test_a_head_that_is_too_large_is_refused(port, sent, status):
    """The line, each header and their number are bounded; the status says which."""
    answer = exchange(port, sent)
    assert answer.status == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n{}\r\n", b"-1\r\n{}\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"ffffffffffffffffff\r\n{}\r\n"],
    ids=["no number", "negative", "too short", "no end", "endless"],
)
def test_broken_chunks_are_the_callers_fault(port, chunks):
    """A chunked body that is none is a 4xx, and nothing behind it is read as a request."""
    answer = exchange(port, head(Transfer_Encoding="chunked", **JSON) + chunks + SMUGGLED)
    assert 400 <= answer.status < 500
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert b"HTTP/1.1 200" not in answer.rest


def test_a_broken_head_is_not_repeated(unharmed, port):
    """A key in a line that is no header stands neither in the answer nor in the log."""
    answer = exchange(port, raw(POST, "Authorization Bearer sk-in-a-broken-line"))
    assert answer.status == 400
    assert b"sk-in-a-broken-line" not in answer.body
    assert "sk-in-a-broken-line" not in unharmed.api.logs()


def test_a_header_with_an_underscore_is_not_taken_for_another(port):
    """`X_Api_Key` is not `X-Api-Key`: a proxy may filter the one and pass the other."""
    answer = exchange(port, b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX_Api_Key: " + KEY.encode() + b"\r\n\r\n")
    assert answer.status == 401


def test_no_answer_names_its_server(port):
    """Neither gunicorn nor Werkzeug nor Python is told, whatever the status."""
    for path in ("/livez", "/nowhere", "/docs"):
        headers = exchange(port, head(path, "GET")).headers
        assert "server" not in headers
        assert not any(word in str(dict(headers)).lower() for word in ("gunicorn", "werkzeug", "python"))
