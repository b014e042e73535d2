"""The events of the benchmark's streams: tokens are numbered from 1 and tell when they were sent. Pure."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from benchmarks.streams.pace import Pace

# A token's text: its number, and the machine's monotonic clock in µs, which all processes share.
TOKEN = re.compile(rb"t(\d{5}) (\d+) ")
DONE = b"data: [DONE]"
END = b"0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_STAMP_DIGITS = 15
_HERE = "\x00"


def opening() -> bytes:
    """The head, and the event with the role."""
    return HEAD + _framed(_event([_choice({"role": "assistant", "content": ""}, None)]))


def token(number: int, now_s: float) -> bytes:
    """The event of one token as an HTTP chunk."""
    before, after = _around(number)
    return b"%b%015d%b" % (before, int(now_s * 1e6), after)


def tokens(count: int, now_s: float) -> bytes:
    """The events of a whole stream's tokens."""
    return b"".join(token(number, now_s) for number in range(1, count + 1))


def closing(pace: Pace, *, usage: bool) -> bytes:
    """All that comes after the last token: the finish, the usage if it is asked for, and the ends."""
    events = _event([_choice({}, "stop")])
    if usage:
        told = {"prompt_tokens": 64, "completion_tokens": pace.tokens, "total_tokens": 64 + pace.tokens}
        events += _event([], usage=told)
    return _framed(events + DONE + b"\n\n") + END


# Every stream sends the same events but for the time in them.
@lru_cache(maxsize=100_000)
def _around(number: int) -> tuple[bytes, bytes]:
    event = _event([_choice({"content": f"t{number:05d} {_HERE} "}, None)])
    before, _, after = event.partition(json.dumps(_HERE)[1:-1].encode())
    return b"%x\r\n%b" % (len(before) + _STAMP_DIGITS + len(after), before), after + b"\r\n"


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(choices: Sequence[dict[str, Any]], **more: Any) -> bytes:
    chunk = {
        "id": "chatcmpl-benchmark0000000000000000",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "bench-model",
        "choices": choices,
        **more,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
