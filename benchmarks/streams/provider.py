"""A provider that streams numbered tokens at the pace its prompt asks for; one process, one epoll, one timer for all.

It is the same for every system, and its CPU is counted for none.
"""

import argparse
import gc
import json
import selectors
import signal
import socket
import sys
import time
from collections import deque

from benchmarks.framing import FramingError, message_length
from benchmarks.provider import ANSWER, Counts
from benchmarks.streams import chunks
from benchmarks.streams.pace import Asked, Pace

_MOST_ACCEPTED = 64
_WAIT_S = 1.0


class Speech:
    """A stream under way on a connection."""

    __slots__ = ("connection", "due", "number", "pace", "usage")

    def __init__(self, connection: "Connection", pace: Pace, *, usage: bool, now: float) -> None:
        self.connection = connection
        self.pace = pace
        self.usage = usage
        # When the next token is to be sent, and its number.
        self.due = now
        self.number = 1


class Connection:
    """One keep-alive connection of a caller."""

    __slots__ = ("buffer", "is_open", "out", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        # What the socket did not take yet.
        self.out = bytearray()
        self.is_open = True


class Provider:
    """Answers on loopback `port` until it is told to stop."""

    def __init__(self, port: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._counts = Counts()
        # Streams of one pace become due in the order in which they were put here: no heap is needed.
        self._due: dict[float, deque[Speech]] = {}
        self._running = True
        self._server = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._server.settimeout(0)
        self._selector.register(self._server, selectors.EVENT_READ)

    def stop(self, *_: object) -> None:
        """End the loop (a signal's handler)."""
        self._running = False

    def run(self) -> None:
        """Serve."""
        while self._running:
            for key, events in self._selector.select(self._speak()):
                if key.data is None:
                    self._accept()
                elif events & selectors.EVENT_WRITE:
                    self._flush(key.data)
                else:
                    self._read(key.data)

    def _speak(self) -> float:
        """Send every token that is due; how long nothing will be."""
        wait_s = _WAIT_S
        for pause_s, queue in self._due.items():
            while queue:
                now = time.monotonic()
                if (left := queue[0].due - now) > 0:
                    wait_s = min(wait_s, left)
                    break
                speech = queue.popleft()
                if self._say(speech, now):
                    speech.due += pause_s
                    queue.append(speech)
        return wait_s

    def _say(self, speech: Speech, now: float) -> bool:
        """Send a stream's next token; whether there are more."""
        connection = speech.connection
        if not connection.is_open:
            self._counts.end()
            return False
        data = chunks.token(speech.number, now)
        last = speech.number == speech.pace.tokens
        if last:
            data += chunks.closing(speech.pace, usage=speech.usage)
            self._counts.end()
        speech.number += 1
        self._send(connection, data)
        return not last

    def _accept(self) -> None:
        for _ in range(_MOST_ACCEPTED):
            try:
                sock, _ = self._server.accept()
            except BlockingIOError:
                return
            sock.settimeout(0)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(sock, selectors.EVENT_READ, Connection(sock))

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        connection.buffer += data
        try:
            while connection.is_open and (length := message_length(connection.buffer)) is not None:
                request = bytes(connection.buffer[:length])
                del connection.buffer[:length]
                self._answer(connection, request)
        except FramingError:
            self._close(connection)

    def _answer(self, connection: Connection, request: bytes) -> None:
        if request.startswith(b"GET "):
            self._send(connection, self._counts.answer())
            return
        self._counts.begin()
        asked, now = Asked.of(request), time.monotonic()
        if asked.pace is None:
            self._counts.end()
            self._send(connection, _WHOLE)
        elif asked.pace.pause_s:
            self._send(connection, chunks.opening())
            speech = Speech(connection, asked.pace, usage=asked.usage, now=now)
            if self._say(speech, now):
                speech.due += asked.pace.pause_s
                self._due.setdefault(asked.pace.pause_s, deque()).append(speech)
        else:
            self._counts.end()
            said = chunks.tokens(asked.pace.tokens, now)
            self._send(connection, chunks.opening() + said + chunks.closing(asked.pace, usage=asked.usage))

    def _send(self, connection: Connection, data: bytes) -> None:
        if connection.out:
            connection.out += data
            return
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        if sent < len(data):
            connection.out += data[sent:]
            self._selector.modify(connection.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)

    def _flush(self, connection: Connection) -> None:
        rest = bytes(connection.out)
        connection.out.clear()
        self._selector.modify(connection.sock, selectors.EVENT_READ, connection)
        self._send(connection, rest)

    def _close(self, connection: Connection) -> None:
        if connection.is_open:
            connection.is_open = False
            self._selector.unregister(connection.sock)
            connection.sock.close()


def _whole() -> bytes:
    body = json.dumps(ANSWER).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


_WHOLE = _whole()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="An OpenAI chat-completion provider of numbered, paced tokens.")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    # A collection's pause would be counted as a gateway's delay.
    gc.disable()
    provider = Provider(options.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, provider.stop)
    provider.run()
    sys.exit(0)


if __name__ == "__main__":
    main()
