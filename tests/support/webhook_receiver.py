"""A webhook receiver that keeps what it was sent and answers as it is told."""

import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebhookReceiver:
    """Listens on loopback; answers with `statuses` in turn, then 200, each after `delay_s` and with `headers`."""

    def __init__(self, statuses: Sequence[int] = (), *, headers: Mapping[str, str] | None = None, delay_s: float = 0):
        self.received: list[tuple[dict[str, str], bytes]] = []
        remaining = list(statuses)
        received = self.received
        # How many it was answering at once, at most.
        self.most_at_once = self._now = 0
        lock, itself = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((dict(self.headers.items()), body))
                with lock:
                    itself._now += 1
                    itself.most_at_once = max(itself.most_at_once, itself._now)
                time.sleep(delay_s)
                with lock:
                    itself._now -= 1
                self.send_response(remaining.pop(0) if remaining else 200)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
