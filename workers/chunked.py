"""Chunked transfer coding taken off a body as it arrives. Format: RFC 9112, section 7.1."""

from routing.errors import ProviderUnreachable

# The longest line of a chunk's size with its extensions, or of a trailer.
_LONGEST_LINE = 16 * 1024


class ChunkedBody:
    """Bytes off the wire in, bytes of the body out: all that are there, whether or not their chunk is whole."""

    def __init__(self) -> None:
        self._rest = b""
        # Bytes still to come of the chunk under way; 0: a line comes next.
        self._left = 0
        # The chunk's data was read; the line end that closes it was not.
        self._after_data = False
        self._trailing = False
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in `data`; ProviderUnreachable for what is not chunked. Nothing may come after the end."""
        data = self._rest + data if self._rest else data
        at, size, body = 0, len(data), []
        while at < size and not self.ended:
            if self._left:
                taken = min(self._left, size - at)
                body.append(data[at : at + taken])
                at += taken
                self._left -= taken
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            self._line(data[at:end])
            at = end + 2
        self._rest = data[at:]
        if len(self._rest) > _LONGEST_LINE:
            raise _broken()
        return body[0] if len(body) == 1 else b"".join(body)

    def _line(self, line: bytes) -> None:
        """A chunk's size, the empty line after its data, or a trailer."""
        if self._trailing:
            self.ended = not line
        elif self._after_data:
            if line:
                raise _broken()
            self._after_data = False
        else:
            self._left = _size(line)
            self._after_data = self._left > 0
            self._trailing = self._left == 0


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise _broken()
    return int(digits, 16)


def _broken() -> ProviderUnreachable:
    return ProviderUnreachable("the connection failed: the answer's framing is broken")
