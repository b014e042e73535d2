"""The load generator: raw sockets and one selector in a process of its own, to cost little of what it measures.

Closed loop: each of N keep-alive connections sends its next request when its answer is in. Burst: K requests at once,
one connection each. Prints `begin` and `end` around the measured window, then the summary as one line of JSON.
"""

import argparse
import gc
import json
import selectors
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.framing import FramingError, message_length
from benchmarks.request import complaint, request_bytes
from benchmarks.summary import Summary


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0
    waiting: bool = False


class _Generator:
    """What both kinds of load do with a connection: send, read, check, count."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._request = request_bytes(port)
        self._selector = selectors.DefaultSelector()
        self.latencies_s: list[float] = []
        self.errors: Counter[str] = Counter()
        self.under_way = 0

    def _send(self, connection: _Connection) -> None:
        connection.waiting = True
        connection.sock.sendall(self._request)

    def _answer(self, connection: _Connection) -> str | None:
        """Read what is there: None while the answer is not whole, then "" for a good one, or what is wrong with it."""
        try:
            data = connection.sock.recv(65_536)
            if not data:
                return "closed"
            connection.buffer += data
            length = message_length(connection.buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            return type(error).__name__
        except FramingError as error:
            return str(error)
        if length is None:
            return None
        wrong = complaint(connection.buffer)
        connection.buffer.clear()
        return wrong or ""

    def _close(self, connection: _Connection) -> None:
        self._selector.unregister(connection.sock)
        connection.sock.close()

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._selector.get_map().values()):
            self._close(key.data)
        self._selector.close()


class ClosedLoop(_Generator):
    """N keep-alive connections, each with one request under way at any time."""

    def __init__(self, port: int, connections: int) -> None:
        super().__init__(port)
        self._measuring = False
        self._sending = True
        for _ in range(connections):
            self._open()

    def run(
        self, warm_up_s: float, measured_s: float, announce: Callable[[str], None], drain_s: float = 30.0
    ) -> Summary:
        """Load for both durations, count answers of the second; then wait up to `drain_s` for what is under way."""
        self._poll_until(perf_counter() + warm_up_s)
        announce("begin")
        begun_at = perf_counter()
        # An error of the warm-up is an error: only its latencies are left out.
        self._measuring = True
        self._poll_until(begun_at + measured_s)
        seconds = perf_counter() - begun_at
        self._measuring = self._sending = False
        announce("end")
        give_up_at = perf_counter() + drain_s
        while self.under_way and perf_counter() < give_up_at:
            self._poll(give_up_at)
        if self.under_way:
            self.errors["no answer"] += self.under_way
        return Summary.of(self.latencies_s, seconds, self.errors)

    def _open(self) -> None:
        sock = socket.create_connection(self._address, timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0)
        connection = _Connection(sock)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._next(connection)

    def _next(self, connection: _Connection) -> None:
        connection.sent_at = perf_counter()
        try:
            self._send(connection)
        except OSError as error:
            # The selector tells of the broken connection next, and a new one is opened then.
            connection.waiting = False
            self.errors[type(error).__name__] += 1
        else:
            self.under_way += 1

    def _poll_until(self, end: float) -> None:
        while perf_counter() < end:
            self._poll(end)

    def _poll(self, end: float) -> None:
        for key, _ in self._selector.select(max(0.0, end - perf_counter())):
            self._read(key.data)

    def _read(self, connection: _Connection) -> None:
        wrong = self._answer(connection)
        if wrong is None:
            return
        now = perf_counter()
        if connection.waiting:
            self.under_way -= 1
            connection.waiting = False
            if wrong:
                self.errors[wrong] += 1
            elif self._measuring:
                self.latencies_s.append(now - connection.sent_at)
        if wrong:
            self._close(connection)
            if self._sending:
                self._open()
        elif self._sending:
            self._next(connection)


class Burst(_Generator):
    """K requests at once, one connection each, each sent once. Latency runs from the start of its connect."""

    def run(self, requests: int, limit_s: float, announce: Callable[[str], None]) -> Summary:
        """Send all, wait for all, at most `limit_s`; what has no answer by then is an error."""
        announce("begin")
        begun_at = perf_counter()
        for _ in range(requests):
            self._connect()
        while self.under_way and (left := begun_at + limit_s - perf_counter()) > 0:
            for key, events in self._selector.select(left):
                if events & selectors.EVENT_WRITE:
                    self._connected(key.data)
                else:
                    self._read(key.data)
        seconds = perf_counter() - begun_at
        announce("end")
        if self.under_way:
            self.errors["no answer"] += self.under_way
        return Summary.of(self.latencies_s, seconds, self.errors)

    def _connect(self) -> None:
        sock = socket.socket()
        sock.settimeout(0)
        connection = _Connection(sock, sent_at=perf_counter())
        sock.connect_ex(self._address)
        self._selector.register(sock, selectors.EVENT_WRITE, connection)
        self.under_way += 1

    def _connected(self, connection: _Connection) -> None:
        try:
            self._send(connection)
        except OSError as error:
            self._end(connection, type(error).__name__)
        else:
            self._selector.modify(connection.sock, selectors.EVENT_READ, connection)

    def _read(self, connection: _Connection) -> None:
        wrong = self._answer(connection)
        if wrong is not None:
            self._end(connection, wrong)

    def _end(self, connection: _Connection, wrong: str) -> None:
        self.under_way -= 1
        if wrong:
            self.errors[wrong] += 1
        else:
            self.latencies_s.append(perf_counter() - connection.sent_at)
        self._close(connection)


def main() -> None:
    """Read the command line, load, print the summary."""
    parser = argparse.ArgumentParser(description="Load an OpenAI-compatible endpoint on this machine.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--warm-up", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--burst", type=int, metavar="K", help="send K requests at once instead, one connection each")
    parser.add_argument(
        "--limit", type=float, default=60.0, metavar="SECONDS", help="how long a burst waits for answers"
    )
    options = parser.parse_args()
    # Nothing here makes cycles, and a collection's pause would be counted as the gateway's latency.
    gc.disable()
    announce = _announce
    try:
        if options.burst:
            generator: _Generator = (burst := Burst(options.port))
            summary = burst.run(options.burst, options.limit, announce)
        else:
            generator = loop = ClosedLoop(options.port, options.connections)
            summary = loop.run(options.warm_up, options.seconds, announce)
    except OSError as error:
        raise SystemExit(f"load: port {options.port} of this machine: {error}") from None
    print(json.dumps(summary.to_json()), flush=True)
    generator.close()


def _announce(event: str) -> None:
    print(event, flush=True)


if __name__ == "__main__":
    main()
