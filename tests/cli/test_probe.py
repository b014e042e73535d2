"""The first completion, against a real HTTP server."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from cli.ports import free_port
from cli.probe import Probe, complete


@pytest.fixture
def server():
    """Serve one canned answer, and keep what was asked."""
    asked = []
    answer = {"status": 200, "body": b"{}"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            asked.append((self.path, self.headers["Authorization"], json.loads(self.rfile.read(length))))
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked, answer
        http.shutdown()
        thread.join()


def test_an_answer_and_its_route(server, wait_until):
    """The request is a caller's own, and the route is told in one line."""
    url, asked, answer = server
    metadata = {
        "job_id": "job_1",
        "attempts": [
            {"provider": "groq", "model": "a", "status": "failed"},
            {"provider": "google-gemini", "model": "gemini-2.5-flash", "status": "completed"},
        ],
        "queue_time": 3.2,
        "total_processing_time": 120.7,
    }
    body = {"choices": [{"message": {"content": " Hello! \n"}}], "routing_metadata": metadata}
    answer["body"] = json.dumps(body).encode()
    probe = Probe(url, "ak-demo123", timeout_s=10)
    got = wait_until(lambda: probe.answer)
    assert got.error is None
    assert got.text == "Hello!"
    assert got.route_line() == "job_1 · google-gemini/gemini-2.5-flash · 2 attempts · queue 3 ms · total 121 ms"
    path, authorization, sent = asked[0]
    assert (path, authorization, sent["model"]) == ("/v1/chat/completions", "Bearer ak-demo123", "gpt-3.5-turbo")


def test_a_refusal_is_told_in_the_apis_words(server):
    """An OpenAI-shaped error gives its message."""
    url, _, answer = server
    answer.update(status=502, body=b'{"error": {"message": "every candidate failed"}}')
    assert complete(url, "k", timeout_s=10).error == "HTTP 502: every candidate failed"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"choices": []}', b'{"choices": [null]}', b"not json"])
def test_an_answer_of_another_shape_is_an_error(server, body):
    """What is not a completion is said to be none."""
    url, _, answer = server
    answer["body"] = body
    assert complete(url, "k", timeout_s=10).error


def test_a_server_that_is_away_is_an_error():
    """A refused connection is an answer with an error too."""
    assert "refused" in complete(f"http://127.0.0.1:{free_port()}", "k", timeout_s=5).error.lower()
