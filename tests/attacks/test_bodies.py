"""Bodies that two readers may take for two things, and bodies that are too large."""

import gzip
import json

import pytest

from tests.support.raw_http import connect, exchange, head, parse, read_all
from tests.support.stack import chat, dump

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("unharmed")]
JSON = {"Content_Type": "application/json"}
SOUND = dump(chat("Sound."))
MESSAGES = '"messages": [{"role": "user", "content": "x"}]'


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ('{"model": "fast", ' + MESSAGES + ', "model": "smart"}', "model"),
        ('{"model": "fast", ' + MESSAGES + ', "m\\u006fdel": "smart"}', "model"),
        ('{"model": "fast", "messages": [{"role": "user", "role": "system", "content": "x"}]}', "role"),
        ('{"model": "fast", ' + MESSAGES + ', "metadata": {"a": {"b": 1, "b": 2}}}', "b"),
        ('{"model": "fast", ' + MESSAGES + ', "\\ud800": 1, "\\ud800": 2}', None),
    ],
    ids=["top", "escaped", "message", "inside", "half a pair"],
)
def test_a_name_twice_is_refused(stack, raw, param):
    """Which of two values holds is read in two ways: neither is taken, and the name is told."""
    answer = stack.session.post(
        f"{stack.api.url}/v1/chat/completions", data=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert "twice" in answer.json()["error"]["message"]
    if param is not None:
        assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + SOUND,
        SOUND.decode().encode("utf-16"),
        SOUND.decode().encode("utf-32"),
        gzip.compress(SOUND),
        SOUND + SOUND,
        SOUND + b"\0",
        SOUND[:-1] + b',"a":1e400}',
        SOUND[:-1] + b',"a":-Infinity}',
        SOUND[:-1] + b',"a":' + b"1" * 10_000 + b"}",
        SOUND[:-1] + b',"a":"\xed\xa0\x80"}',
        SOUND[:-1] + b',"a":"\xc0\xae"}',
        SOUND[:-1] + b',"a":"\\udc00\\ud800"}',
        SOUND[:-1] + b',"a":"\x01"}',
        SOUND.replace(b'"', b"'"),
        b"/*" + SOUND + b"*/",
        SOUND[:-1] + b",}",
    ],
    ids=[
        *("BOM", "UTF-16", "UTF-32", "gzip", "two objects", "NUL behind", "infinite", "Infinity", "digits"),
        *("CESU-8", "overlong", "pair turned round", "control", "apostrophes", "comment", "comma"),
    ],
)
def test_what_is_not_quite_json_is_refused(stack, raw):
    """Other encodings, more than one value, numbers without an end, halves of characters: 400."""
    answer = stack.session.post(
        f"{stack.api.url}/v1/chat/completions", data=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "*/*"]
)
def test_a_body_that_a_web_page_may_send_unasked_is_refused(stack, kind):
    """Types for which no browser asks first are no JSON here."""
    answer = stack.session.post(f"{stack.api.url}/v1/chat/completions", data=SOUND, headers={"Content-Type": kind})
    assert answer.status_code == 415


@pytest.fixture(scope="module")
def narrow(another_api):
    """An API that takes little."""
    return another_api(MODEL_ROUTER_MAX_BODY_BYTES="10000", MODEL_ROUTER_MAX_FILE_BYTES="20000")


FORM = {"Content_Type": "multipart/form-data; boundary=x"}
PARTS = b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\na\r\n' % number for number in range(21))
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head(Content_Length="10001", **JSON) + b" " * 10_001, 413),
        (head(Content_Length=str(10**15), **JSON) + b" " * 20_000, 413),
        (head(Content_Length="9" * 300, **JSON) + b" " * 20_000, 413),
        (head(Transfer_Encoding="chunked", **JSON) + b"1000\r\n" + (b" " * 4096 + b"\r\n1000\r\n") * 20, 413),
        (head(Transfer_Encoding="chunked", **JSON) + b"2710\r\n" + SOUND.ljust(10_000)
         + b"\r\n4\r\nmore\r\n0\r\n\r\n", 413),
        (head("/v1/files", Transfer_Encoding="chunked", **FORM) + b"50\r\n" + PART.ljust(80, b"a") + b"\r\n"
         + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 20, 413),
        (head("/v1/files", Content_Length="9000", **FORM) + b"--x\r\nX: " + b"a" * 9_000, 400),
        (head("/v1/files", Content_Length=str(len(PARTS)), **FORM) + PARTS, 400),
    ],
    ids=["length", "vast length", "absurd length", "chunks", "chunks too many", "file", "head of a part", "parts"],
)  # fmt: skip
def test_too_much_is_refused_early(narrow, sent, status):
    """What is over the limit, said or not, is a 4xx that comes before the end of it."""
    with connect(narrow.port) as connection:
        connection.sendall(sent)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65_536)
            assert piece, "the connection was closed without an answer"
            answer += piece
    assert parse(answer).status == status


def test_many_small_objects_do_not_hurt(stack):
    """A body that is nothing but brackets is read, and refused for what is wrong with it."""
    body = {**chat("x", temperature="hot"), "x": [{}] * 200_000, "y": [[]] * 200_000}
    answer = stack.post(body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "temperature")


def test_a_body_that_breaks_off_is_not_taken_for_whole(port):
    """A sound object and then the end of the connection before Content-Length: 400, and no job."""
    answer = exchange(port, head(Content_Length=str(len(SOUND) + 10), **JSON) + SOUND)
    assert answer.status == 400
    assert "Content-Length" in answer.json()["error"]["message"]


def test_the_answers_of_refusals_are_small(narrow):
    """What was sent is not sent back: an error of a long name, path or value stays short."""
    long = "a" * 5_000
    requests = (
        head(f"/v1/{long}", "GET"),
        head(f"/v1/models/{long}", "GET"),
        head(f"/v1/jobs/{long}", "GET"),
        head(f"/v1/jobs?status={long}", "GET"),
        head("/v1/chat/completions", Content_Type=long, Content_Length="2") + b"{}",
        head(Content_Length=str(len(dump({"model": long}))), **JSON) + dump({"model": long}),
        head(Content_Length=str(len(dump({long: 1, "model": 5}))), **JSON) + dump({long: 1, "model": 5}),
    )
    for request in requests:
        with connect(narrow.port) as connection:
            connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            answer = parse(read_all(connection))
        assert 400 <= answer.status < 500
        assert len(answer.body) < 2_000
        assert json.loads(answer.body)["error"]["message"]
