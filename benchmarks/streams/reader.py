"""Reads one streamed answer as it arrives, and holds it to what it must be: every token, once, in order. No I/O."""

import re

from benchmarks.streams.chunks import DONE, TOKEN

_MAX_HEAD_BYTES = 65_536
_MAX_SIZE_LINE_BYTES = 1024
# An event that ends a stream early, in OpenAI's form: told, so nothing was lost in silence.
_ERROR = re.compile(rb'"error":\s*\{[^{}]*?"code":\s*"([^"]*)"')


class BrokenStreamError(ValueError):
    """The answer is not what it must be; the message says why in a few words."""


class ChunkedBody:
    """Takes the frames off a body with `Transfer-Encoding: chunked` (RFC 9112, 7.1), however its bytes are cut."""

    def __init__(self) -> None:
        self.ended = False
        # Bytes that begin a frame, until its size can be read.
        self._rest = b""
        # What is left of the frame under way, with the line break after it.
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in `data`; raises BrokenStreamError."""
        data, self._rest = self._rest + data, b""
        parts, at = [], 0
        while at < len(data) and not self.ended:
            if self._left:
                taken = min(self._left, len(data) - at)
                parts.append(data[at : at + min(taken, max(0, self._left - 2))])
                self._left -= taken
                at += taken
                continue
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                self._rest = self._size_line(data[at:])
                break
            size = self._size(data[at:line_end])
            if size == 0:
                # Trailers are none of ours; the empty line after the last frame is all that is waited for.
                if len(data) < line_end + 4:
                    self._rest = data[at:]
                    break
                self.ended = True
            at = line_end + 2
            self._left = size + 2
        return b"".join(parts)

    @staticmethod
    def _size_line(begun: bytes) -> bytes:
        if len(begun) > _MAX_SIZE_LINE_BYTES:
            raise BrokenStreamError("no size of a chunk")
        return begun

    @staticmethod
    def _size(line: bytes) -> int:
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise BrokenStreamError("no size of a chunk") from None


class StreamReader:
    """One answer. `delays_s` has for each token how long it took from the provider; times are monotonic seconds."""

    def __init__(self, tokens: int, sent_at: float) -> None:
        self.tokens = 0
        self.sent_at = sent_at
        self.first_at: float | None = None
        self.delays_s: list[float] = []
        # Whether the answer is whole, and whether its connection may be used again.
        self.ended = False
        self.keeps_alive = True
        self._expected = tokens
        self._head: bytearray | None = bytearray()
        self._body = ChunkedBody()
        self._text = b""
        self._done = False

    def feed(self, data: bytes, now: float) -> None:
        """Take what has arrived; raises BrokenStreamError at the first thing that is wrong."""
        if self._head is not None:
            data = self._after_head(data)
        body = self._body.feed(data)
        if body:
            self._events(body, now)
        if self._body.ended:
            self._check_end()
            self.ended = True

    def _after_head(self, data: bytes) -> bytes:
        assert self._head is not None
        self._head += data
        head, found, rest = bytes(self._head).partition(b"\r\n\r\n")
        if not found:
            if len(head) > _MAX_HEAD_BYTES:
                raise BrokenStreamError("no end of the head")
            return b""
        self._head = None
        if not head.startswith(b"HTTP/1.1 200"):
            raise BrokenStreamError(f"status {head[9:12].decode('latin-1')}")
        fields = head.lower()
        if b"\r\ntransfer-encoding: chunked" not in fields:
            raise BrokenStreamError("not chunked")
        self.keeps_alive = b"\r\nconnection: close" not in fields
        return rest

    def _events(self, body: bytes, now: float) -> None:
        """The tokens of the events that are whole."""
        text = self._text + body if self._text else body
        cut = text.rfind(b"\n\n") + 2
        if cut < 2:
            self._text = text
            return
        self._text = text[cut:]
        for number, stamp in TOKEN.findall(text, 0, cut):
            if int(number) != self.tokens + 1:
                raise BrokenStreamError("a gap" if int(number) > self.tokens + 1 else "tokens repeated")
            self.tokens += 1
            self.delays_s.append(now - int(stamp) / 1e6)
        if self.first_at is None and self.tokens:
            self.first_at = now
        if b'"error":' in text and (told := _ERROR.search(text, 0, cut)):
            raise BrokenStreamError(f"error {told[1].decode(errors='replace')}")
        if DONE in text[:cut]:
            self._done = True

    def _check_end(self) -> None:
        if self.tokens < self._expected:
            raise BrokenStreamError("too short")
        if self.tokens > self._expected:
            raise BrokenStreamError("too long")
        if not self._done:
            raise BrokenStreamError("no [DONE]")
