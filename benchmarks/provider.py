"""A provider with one fixed chat completion, as cheap as Python gets, so that the gateway is what is measured.

Not the sandbox: it looks at nothing but where a request ends.
"""

import argparse
import asyncio
import json
import signal
import time
from functools import partial

from benchmarks.framing import FramingError, message_length

# As long as an unhurried chat answer; the whole body is about 965 bytes.
_CONTENT = (
    "A queue turns a refusal into a wait: the work is written down first, then done when there is room for it. " * 6
)
ANSWER = {
    "id": "chatcmpl-benchmark0000000000000000",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "bench-model",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": _CONTENT.strip()},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 64, "completion_tokens": 128, "total_tokens": 192},
}


class Counts:
    """How many calls came, when the last one did (the machine's monotonic clock), and the most under way at once."""

    def __init__(self) -> None:
        self.calls = 0
        self.under_way = 0
        self.most_at_once = 0
        self.last_call_at = 0.0

    def begin(self) -> None:
        """A call has come."""
        self.calls += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.last_call_at = time.monotonic()

    def end(self) -> None:
        """A call is answered."""
        self.under_way -= 1

    def answer(self) -> bytes:
        """The counts as the HTTP answer of `GET /calls`."""
        told = {
            "calls": self.calls,
            "under_way": self.under_way,
            "most_at_once": self.most_at_once,
            "last_call_at": self.last_call_at,
        }
        return _http_answer(b"200 OK", json.dumps(told).encode())


class FixedAnswer(asyncio.Protocol):
    """One keep-alive connection: every POST gets ANSWER after `latency_s`, every GET the counts at once."""

    def __init__(self, counts: Counts, latency_s: float) -> None:
        self._counts = counts
        self._latency_s = latency_s
        self._buffer = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio's contract)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request that is there (asyncio's contract)."""
        self._buffer += data
        try:
            while (length := message_length(self._buffer)) is not None:
                is_call = self._buffer.startswith(b"POST ")
                del self._buffer[:length]
                self._call() if is_call else self._transport.write(self._counts.answer())
        except FramingError as error:
            self._transport.write(
                _http_answer(b"400 Bad Request", json.dumps({"error": {"message": str(error)}}).encode())
            )
            self._transport.close()

    def _call(self) -> None:
        self._counts.begin()
        if self._latency_s:
            asyncio.get_running_loop().call_later(self._latency_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        self._counts.end()
        if not self._transport.is_closing():
            self._transport.write(_ANSWER_BYTES)


def _http_answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


_ANSWER_BYTES = _http_answer(b"200 OK", json.dumps(ANSWER).encode())


async def serve(port: int, latency_s: float) -> None:
    """Serve on the loopback interface until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    factory = partial(FixedAnswer, Counts(), latency_s)
    server = await loop.create_server(factory, "127.0.0.1", port, backlog=4096)
    await stop.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="An OpenAI chat-completion provider with one fixed answer.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="wait this long before each answer"
    )
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.latency))


if __name__ == "__main__":
    main()
