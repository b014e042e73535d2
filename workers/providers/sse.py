"""An incremental parser of server-sent events. Format: html.spec.whatwg.org, Server-sent events."""

from typing import NamedTuple

from routing.errors import MalformedAnswer

# A picture within one event of Gemini's has several MiB.
MAX_EVENT_BYTES = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_MESSAGE = "message"


class Event(NamedTuple):
    """One event. A tuple, because one is made per token and a frozen dataclass costs twice as much to make."""

    name: str
    data: bytes


class EventParser:
    """Cuts bytes, however they are split, into events. An event that the body's end cuts off is none."""

    def __init__(self) -> None:
        # What came since the last blank line, in the pieces it came in: joined once, when its event is whole.
        self._pieces: list[bytes] = []
        self._size = 0
        # The first bytes, while they may still be the start of a byte order mark; None: they are read.
        self._head: bytes | None = b""
        # The last byte was a CR: an LF that follows it ends no other line.
        self._after_cr = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes; MalformedAnswer where one grows over MAX_EVENT_BYTES."""
        if self._head is not None:
            data = self._without_bom(data)
        if self._after_cr or b"\r" in data:
            data = self._with_lf(data)
        if not data:
            return []
        if self._pieces:
            if b"\n\n" not in data and not (data[:1] == b"\n" and self._pieces[-1][-1:] == b"\n"):
                self._keep(data)
                return []
            data = b"".join((*self._pieces, data))
            self._pieces.clear()
            self._size = 0
        blocks = data.split(b"\n\n")
        if rest := blocks.pop():
            self._keep(rest)
        events = []
        for block in blocks:
            # What nearly every event is: one line of data.
            if block[:6] == b"data: " and b"\n" not in block:
                events.append(Event(_MESSAGE, block[6:]))
            elif (event := _event(block)) is not None:
                events.append(event)
        return events

    def _keep(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > MAX_EVENT_BYTES:
            raise MalformedAnswer(f"an event of the provider's stream is over {MAX_EVENT_BYTES} bytes")

    def _without_bom(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _with_lf(self, data: bytes) -> bytes:
        """`data` with every line ending an LF."""
        if not data:
            return data
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _event(block: bytes) -> Event | None:
    """The event of a block of lines; None where it has no data (comments, keep-alives)."""
    name, data = _MESSAGE, []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace") or _MESSAGE
    return Event(name, b"\n".join(data)) if data else None
