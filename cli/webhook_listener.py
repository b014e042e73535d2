"""A receiver of webhooks on loopback: verifies each, hands it on and answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from workers.signature import why_not_verified

HOST = "127.0.0.1"
# More than any event holds: an answer of a job may be long.
MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """A webhook that came."""

    id: str
    body: bytes
    # Why it does not verify; None where it does.
    fault: str | None
    # Unix seconds.
    at: float


class Listener:
    """Listens until it is interrupted; `take` is called with what came, from several threads."""

    def __init__(self, port: int, secrets: Sequence[str], take: Callable[[Received], None]) -> None:
        """Raises OSError where the port cannot be had."""
        self._server = ThreadingHTTPServer((HOST, port), _handler(secrets, take))
        self.url = f"http://{HOST}:{self._server.server_port}/"

    def run(self) -> None:
        """Serve until Ctrl-C."""
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            return
        finally:
            self._server.server_close()


def _handler(secrets: Sequence[str], take: Callable[[Received], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # A sender that stops in the midst of its request holds a thread no longer.
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY_BYTES):
                self._answer(413 if length.isdigit() else 411)
                return
            body = self.rfile.read(int(length))
            now = time.time()
            names = ("webhook-id", "webhook-timestamp", "webhook-signature")
            message_id, timestamp, signatures = (self.headers.get(name, "") for name in names)
            fault = why_not_verified(secrets, message_id, timestamp, signatures, body, now)
            take(Received(message_id, body, fault, now))
            self._answer(204 if fault is None else 401)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the library's name)
            """Nothing beside the events is printed."""

    return Handler
