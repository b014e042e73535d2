"""The process: how it starts, what it holds, how it ends."""

import ast
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox.wire import CHAT_PATHS, chat_body, key_headers, send
from tests.support.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(number):
    """A signal ends the process with status 0 and no word more, also with calls under way."""
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        line = process.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:")
        with socket.create_connection(("127.0.0.1", int(line.rpartition(":")[2]))) as waiting:
            waiting.sendall(_request("/groq/openai/v1/chat/completions", {"fault": "stall"}))
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def _request(path, behaviour):
    body = json.dumps(chat_body("groq", sandbox=behaviour)).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_port_in_use_is_one_clear_line(sandbox):
    """A second sandbox on the same port says so and fails."""
    port = sandbox.url.rpartition(":")[2]
    command = [sys.executable, "-m", "sandbox", "--port", port]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_one_connection_carries_many_calls(sandbox):
    """Connections are kept alive between calls."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    for _ in range(3):
        connection.request("POST", CHAT_PATHS["groq"], json.dumps(chat_body("groq")), key_headers("groq"))
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        local = connection.sock.getsockname()
    assert connection.sock.getsockname() == local
    connection.close()


def test_chunked_request_is_read(sandbox):
    """A request body may come in chunks."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    pieces = [json.dumps(chat_body("groq")).encode()[start:][:20] for start in range(0, 200, 20)]
    connection.request("POST", CHAT_PATHS["groq"], iter(pieces), key_headers("groq"), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_malformed_http_does_not_harm_it(sandbox):
    """Garbage on the socket is refused, and the next call is answered."""
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=10) as garbage:
        garbage.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert b"400" in garbage.recv(1000)
    assert send(sandbox.url, CHAT_PATHS["groq"], chat_body("groq")).status == 200


def test_2500_calls_are_held_at_once():
    """2,500 callers wait 5 s at once, and all are answered in little more."""
    with SandboxProcess() as process:
        process.behave("groq", latency_ms=5000)
        command = [sys.executable, "-m", "tests.sandbox.crowd", process.url, "2500"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
        answered, slowest = ended.stdout.split()
        assert int(answered) == 2500
        assert float(slowest) < 5 + 5
        assert process.calls()["completed"] == 2500


def test_it_starts_quickly():
    """From command to listening takes well under the time a person notices, even on a busy machine."""
    took = []
    for _ in range(3):
        started = time.monotonic()
        with SandboxProcess():
            took.append(time.monotonic() - started)
    assert min(took) < 1.5


def test_it_needs_the_standard_library_and_gevent_only():
    """No module of the sandbox imports anything else, least of all the rest of the product."""
    allowed = sys.stdlib_module_names | {"gevent", "sandbox"}
    for path in (ROOT / "sandbox").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, path
