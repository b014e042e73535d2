"""Where one HTTP/1.1 message ends in a buffer: shared by the benchmark's provider and its load generator. No I/O."""

_MAX_HEAD_BYTES = 65_536


class FramingError(ValueError):
    """The bytes are not a message that this parser reads: no end of head, or a length it cannot use."""


def message_length(buffer: bytes | bytearray) -> int | None:
    """How many bytes of `buffer` the first message takes (head and body); None while it is not all there.

    Knows Content-Length only: chunked bodies are a FramingError, and no length is no body.
    """
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        if len(buffer) > _MAX_HEAD_BYTES:
            raise FramingError(f"no end of the head in {_MAX_HEAD_BYTES} bytes")
        return None
    head = bytes(buffer[:head_end]).lower()
    total = head_end + 4 + _content_length(head)
    return total if len(buffer) >= total else None


def _content_length(head: bytes) -> int:
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        if b"\r\ntransfer-encoding:" in head:
            raise FramingError("a chunked body, where only Content-Length is read")
        return 0
    value = rest.partition(b"\r\n")[0].strip()
    if not value.isdigit():
        raise FramingError(f"Content-Length is {value[:40]!r}")
    return int(value)
