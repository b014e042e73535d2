"""The load generator of streams: raw sockets and one selector in a process of its own.

Closed loop: each of N keep-alive connections asks for its next stream when one has ended. Crowd: N streams, begun
evenly over a while, each once. Prints `begin` and `end` around the measured window, then the summary as a line of JSON.
"""

import argparse
import gc
import json
import selectors
import socket
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from benchmarks.request import KEY, MODEL
from benchmarks.streams.pace import Pace
from benchmarks.streams.reader import BrokenStreamError, StreamReader
from benchmarks.streams.summary import StreamSummary

_PROMPT = "Explain to a new colleague why a gateway writes a request down before it calls anybody. " * 4
Announce = Callable[[str], None]


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    reader: StreamReader | None = None


class Streams:
    """What both kinds of load do: ask, read, check, count."""

    def __init__(self, port: int, pace: Pace) -> None:
        self._address = ("127.0.0.1", port)
        self._pace = pace
        self._request = request_bytes(port, pace)
        self._selector = selectors.DefaultSelector()
        self._ttfts_s = array("d")
        self._delays_s = array("d")
        self._tokens = 0
        self._most_at_once = 0
        self.errors: Counter[str] = Counter()
        self.under_way = 0

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._selector.get_map().values()):
            self._close(key.data)
        self._selector.close()

    def _ended(self, connection: _Connection) -> None:
        """What follows a stream's end; `connection` is closed already where it can not be used again."""
        raise NotImplementedError

    def _open(self) -> _Connection:
        sock = socket.create_connection(self._address, timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0)
        connection = _Connection(sock)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        return connection

    def _ask(self, connection: _Connection) -> None:
        connection.reader = StreamReader(self._pace.tokens, monotonic())
        self.under_way += 1
        self._most_at_once = max(self._most_at_once, self.under_way)
        try:
            connection.sock.sendall(self._request)
        except OSError as error:
            self._broken(connection, type(error).__name__)

    def _poll_until(self, end: float) -> None:
        while (left := end - monotonic()) > 0:
            for key, _ in self._selector.select(left):
                self._read(key.data)

    def _drain(self, give_up_at: float) -> None:
        """Read on until every stream has ended; what has not by then is broken."""
        while self.under_way and (left := give_up_at - monotonic()) > 0:
            for key, _ in self._selector.select(min(left, 0.5)):
                self._read(key.data)
        if self.under_way:
            self.errors["no end"] += self.under_way

    def _read(self, connection: _Connection) -> None:
        reader = connection.reader
        try:
            data = connection.sock.recv(262_144)
            if reader is None or not data:
                # Closed between two streams is no error.
                self._broken(connection, "closed" if reader is not None else "")
                return
            had = reader.tokens
            try:
                reader.feed(data, monotonic())
            finally:
                self._tokens += reader.tokens - had
        except BlockingIOError:
            return
        except BrokenStreamError as error:
            self._broken(connection, str(error))
            return
        except OSError as error:
            self._broken(connection, type(error).__name__)
            return
        if reader.ended:
            self._whole(connection, reader)

    def _whole(self, connection: _Connection, reader: StreamReader) -> None:
        self.under_way -= 1
        connection.reader = None
        assert reader.first_at is not None
        self._ttfts_s.append(reader.first_at - reader.sent_at)
        self._delays_s.extend(reader.delays_s)
        if not reader.keeps_alive:
            self._close(connection)
        self._ended(connection)

    def _broken(self, connection: _Connection, reason: str) -> None:
        if connection.reader is not None:
            self.under_way -= 1
            connection.reader = None
        if reason:
            self.errors[reason] += 1
        self._close(connection)
        self._ended(connection)

    def _close(self, connection: _Connection) -> None:
        if connection.sock.fileno() >= 0:
            self._selector.unregister(connection.sock)
            connection.sock.close()

    def _summary(self, tokens: int, seconds: float) -> StreamSummary:
        return StreamSummary.of(
            self._ttfts_s,
            self._delays_s,
            tokens=tokens,
            seconds=seconds,
            most_at_once=self._most_at_once,
            errors=self.errors,
        )


class ClosedLoop(Streams):
    """N connections, each with one stream under way at any time."""

    def __init__(self, port: int, pace: Pace, connections: int) -> None:
        super().__init__(port, pace)
        self._asking = True
        for _ in range(connections):
            self._ask(self._open())

    def run(self, warm_up_s: float, measured_s: float, announce: Announce, drain_s: float = 30.0) -> StreamSummary:
        """Load for both durations, count the second; then wait up to `drain_s` for the streams under way.

        Tokens are those of the window; first tokens and delays are of the streams that ended in it.
        """
        self._poll_until(monotonic() + warm_up_s)
        # A stream that broke in the warm-up is broken: only its figures are left out.
        del self._ttfts_s[:], self._delays_s[:]
        announce("begin")
        begun_at, tokens = monotonic(), self._tokens
        self._poll_until(begun_at + measured_s)
        seconds, tokens = monotonic() - begun_at, self._tokens - tokens
        announce("end")
        self._asking = False
        ttfts, delays = self._ttfts_s[:], self._delays_s[:]
        self._drain(monotonic() + drain_s)
        self._ttfts_s, self._delays_s = ttfts, delays
        return self._summary(tokens, seconds)

    def _ended(self, connection: _Connection) -> None:
        if self._asking:
            self._ask(connection if connection.sock.fileno() >= 0 else self._open())


class Crowd(Streams):
    """N streams, begun one after the other within `ramp_s`, each once."""

    def run(self, streams: int, ramp_s: float, limit_s: float, announce: Announce) -> StreamSummary:
        """Begin all, and wait for all their ends until `limit_s` after the first one's begin."""
        announce("begin")
        begun_at = monotonic()
        for number in range(streams):
            self._poll_until(begun_at + ramp_s * number / streams)
            self._ask(self._open())
        self._drain(begun_at + limit_s)
        seconds = monotonic() - begun_at
        announce("end")
        return self._summary(self._tokens, seconds)

    def _ended(self, connection: _Connection) -> None:
        self._close(connection)


def request_bytes(port: int, pace: Pace) -> bytes:
    """The request for one stream, head and body."""
    prompt = f"{_PROMPT}{pace.mark}"
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": prompt}], "stream": True}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Read the command line, load, print the summary."""
    parser = argparse.ArgumentParser(description="Load an OpenAI-compatible endpoint on this machine with streams.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tokens", type=int, default=50, help="of each stream")
    parser.add_argument("--pause", type=float, default=0.005, metavar="SECONDS", help="between two tokens")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--crowd", type=int, metavar="N", help="N streams instead, each once")
    parser.add_argument("--ramp", type=float, default=1.0, metavar="SECONDS", help="in which a crowd begins")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="how long a crowd is waited for")
    options = parser.parse_args()
    # Nothing here makes cycles, and a collection's pause would be counted as the gateway's delay.
    gc.disable()
    pace = Pace(options.tokens, options.pause)
    try:
        if options.crowd:
            streams: Streams = (crowd := Crowd(options.port, pace))
            summary = crowd.run(options.crowd, options.ramp, options.limit, _announce)
        else:
            streams = loop = ClosedLoop(options.port, pace, options.connections)
            summary = loop.run(options.warm_up, options.seconds, _announce)
    except OSError as error:
        raise SystemExit(f"load: port {options.port} of this machine: {error}") from None
    print(json.dumps(summary.to_json()), flush=True)
    streams.close()


def _announce(event: str) -> None:
    print(event, flush=True)


if __name__ == "__main__":
    main()
