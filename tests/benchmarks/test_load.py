import contextlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Burst, ClosedLoop
from benchmarks.process import ROOT
from benchmarks.waiting import provider_counts
from cli.ports import free_port
from tests.benchmarks.stopping import stopped

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def provider(latency_s=0.0):
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.provider", "--port", str(port), "--latency", str(latency_s)]
    with stopped(subprocess.Popen(argv, cwd=ROOT), port):
        yield port


@contextlib.contextmanager
def server(status, body, *, close=False):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = close
            if status is None:
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


def closed_loop(port, connections):
    events = []
    loop = ClosedLoop(port, connections)
    try:
        return loop.run(0.1, 0.4, events.append), events
    finally:
        loop.close()


def test_a_closed_loop_counts_every_answer_of_its_window():
    """All connections are served, nothing fails, and the provider saw no fewer calls than were counted."""
    with provider() as port:
        summary, events = closed_loop(port, 8)
        counts = provider_counts(port)
    assert events == ["begin", "end"]
    assert summary.errors == {}
    assert 8 <= summary.requests <= counts["calls"]
    assert 0 < summary.p50_ms <= summary.p99_ms <= summary.max_ms


def test_a_latency_holds_every_answer_back_and_they_wait_together():
    """A provider that takes 0.3 s answers a burst of 50 no sooner, having had all 50 at once."""
    with provider(latency_s=0.3) as port:
        burst = Burst(port)
        summary = burst.run(50, 20.0, lambda _: None)
        burst.close()
        counts = provider_counts(port)
    assert (summary.requests, summary.errors) == (50, {})
    assert summary.p50_ms >= 300
    assert (counts["calls"], counts["most_at_once"]) == (50, 50)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(503, b'{"choices": []}', "status 503"), (200, b'{"error": null}', "no choices"), (None, b"", "closed")],
)
def test_a_bad_answer_is_an_error_with_its_reason(status, body, reason):
    """A status other than 200, a body without choices and a closed connection count as failures, not as answers."""
    with server(status, body, close=True) as port:
        burst = Burst(port)
        summary = burst.run(3, 10.0, lambda _: None)
        burst.close()
    assert (summary.requests, summary.errors) == (0, {reason: 3})


def test_a_closed_loop_goes_on_after_a_failure():
    """A connection that failed is replaced: errors are counted again and again, and the run ends by itself."""
    with server(500, b"{}", close=True) as port:
        summary, _ = closed_loop(port, 2)
    assert summary.requests == 0
    assert set(summary.errors) == {"status 500"}
    assert summary.failed > 2


def test_a_burst_gives_up_at_its_limit():
    """What has no answer by then is an error, and the call returns."""
    with provider(latency_s=30) as port:
        burst = Burst(port)
        summary = burst.run(4, 0.5, lambda _: None)
        burst.close()
    assert (summary.requests, summary.errors) == (0, {"no answer": 4})


def test_the_command_prints_its_events_and_one_line_of_json():
    """The process that the benchmark starts speaks the protocol the benchmark reads."""
    with provider() as port:
        argv = [sys.executable, "-m", "benchmarks.load", "--port", str(port), "--connections", "2"]
        done = subprocess.run(
            [*argv, "--warm-up", "0.1", "--seconds", "0.2"], cwd=ROOT, capture_output=True, check=True
        )
    begin, end, summary = done.stdout.decode().splitlines()
    assert (begin, end) == ("begin", "end")
    assert json.loads(summary)["requests"] > 0


def test_nobody_there_is_one_clear_line():
    """A port that nothing listens on ends the command with a message and no stack trace."""
    argv = [sys.executable, "-m", "benchmarks.load", "--port", str(free_port()), "--seconds", "0.1"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("load: port ")
    assert "Traceback" not in done.stderr
