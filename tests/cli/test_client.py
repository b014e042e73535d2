"""How commands ask an API, against a real HTTP server: what is sent, and what each answer becomes."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

from cli.client import ApiError, Client
from cli.ports import free_port

KEY = "ak-tried"


@pytest.fixture
def server():
    """Answers as `answers` says, in this order, and keeps what was asked."""
    asked, answers = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            url = urlsplit(self.path)
            asked.append(
                (self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers), self.rfile.read(length))
            )
            status, body, headers = answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield (
            f"http://127.0.0.1:{http.server_port}",
            asked,
            lambda status, body, **headers: answers.append((status, body, headers)),
        )
        http.shutdown()
        thread.join()


def test_a_request_carries_the_key_whatever_the_environment_says(server, monkeypatch, tmp_path):
    """Neither a .netrc nor a proxy of the environment comes between; what is None in a query is left out."""
    url, asked, answer = server
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    answer(200, {"fine": True})
    answer(202, {"id": "job_1"})
    with Client(f"{url}/", KEY) as client:
        assert client.get("/v1/jobs", {"status": "failed", "model": None}) == {"fine": True}
        assert client.post("/v1/x", {"a": 1}, headers={"Idempotency-Key": "k"}) == {"id": "job_1"}
    (_, path, query, headers, _), (method, _, _, more, body) = asked
    assert (path, query, headers["Authorization"]) == ("/v1/jobs", {"status": "failed"}, f"Bearer {KEY}")
    assert (method, more["Idempotency-Key"], json.loads(body)) == ("POST", "k", {"a": 1})


def test_a_list_is_read_page_after_page(server):
    """Also where a page is empty and there are more."""
    url, asked, answer = server
    answer(200, {"data": [{"id": "a"}, {"id": "b"}], "last_id": "b", "has_more": True})
    answer(200, {"data": [], "last_id": "x", "has_more": True})
    answer(200, {"data": [{"id": "c"}], "last_id": "c", "has_more": False})
    with Client(url, KEY) as client:
        assert [entry["id"] for entry in client.listed("/v1/jobs", {"order": "asc"}, page=2)] == ["a", "b", "c"]
    assert [query for _, _, query, _, _ in asked] == [
        {"order": "asc", "limit": "2"},
        {"order": "asc", "limit": "2", "after": "b"},
        {"order": "asc", "limit": "2", "after": "x"},
    ]


@pytest.mark.parametrize(
    ("status", "body", "headers", "said", "code", "retry_after_s"),
    [
        (409, {"error": {"message": "it\nhas ended", "code": "x"}}, {}, "it has ended", "x", None),
        (401, {"error": {"message": "no"}}, {}, "no; give a key with --api-key", None, None),
        (503, {"error": {"message": "away"}}, {"Retry-After": "2"}, "away", None, 2),
        (502, b"<html>", {"Retry-After": "soon"}, "answered HTTP 502", None, None),
        (500, {"error": "words"}, {}, "answered HTTP 500", None, None),
        (500, [], {}, "answered HTTP 500", None, None),
        (200, b"<html>", {}, "is not JSON", None, None),
    ],
)
def test_what_is_no_answer_is_one_line(server, status, body, headers, said, code, retry_after_s):
    """In the API's own words where it has any."""
    url, _, answer = server
    answer(status, body, **headers)
    with Client(url, KEY) as client, pytest.raises(ApiError) as met:
        client.get("/v1/jobs")
    assert said in met.value.message
    assert "\n" not in met.value.message
    assert (met.value.code, met.value.retry_after_s) == (code, retry_after_s)
    assert met.value.status == (None if status == 200 else status)


def test_an_api_that_hangs_or_is_away_is_said_to_be_so():
    """No answer in time, and no connection, are told apart; a text that is no URL is neither."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with Client(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY) as client, pytest.raises(ApiError) as met:
            client.get("/v1/jobs", timeout_s=0.2)
        assert "did not answer in time" in met.value.message
    for url, said in ((f"http://127.0.0.1:{free_port()}", "connection refused"), ("ftp://x", "not the URL of an API")):
        with Client(url, KEY) as client, pytest.raises(ApiError, match=said):
            client.get("/v1/jobs")
