"""multipart/form-data (RFC 7578, RFC 2046), read piece by piece; what the parts hold is handed on while it arrives.

Not werkzeug's decoder: a piece that ends within the last boundary leaves that one a byte too many of the file.
"""

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Protocol

from werkzeug.http import parse_options_header

from routing.errors import InvalidRequest, UnsupportedContentType

# A form is small but for its file.
_MOST_PARTS = 20
_LONGEST_HEADERS = 8 * 1024
# White space that a mail gateway may have put behind a boundary.
_LONGEST_PADDING = 100
_LONGEST_NAME = 100
_END = b"\r\n"


class Parts(Protocol):
    """Who takes what a form holds."""

    def begin(self, name: str, filename: str | None) -> None:
        """A part; `filename` is None where it is no file."""

    def add(self, data: bytes) -> None:
        """Some of the part that began last."""

    def end(self) -> None:
        """The part is whole."""


class _At(Enum):
    PREAMBLE = auto()
    BOUNDARY = auto()
    HEADERS = auto()
    DATA = auto()
    EPILOGUE = auto()


def boundary_of(content_type: str | None) -> bytes:
    """What parts the form, as the Content-Type says it; UnsupportedContentType or InvalidRequest."""
    said, options = parse_options_header(content_type)
    if said != "multipart/form-data":
        raise UnsupportedContentType(f"the body is said to be {said[:80]!r}; send a file as multipart/form-data")
    boundary = options.get("boundary", "")
    # RFC 2046: 1 to 70 characters of ASCII.
    if not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise InvalidRequest("the Content-Type has no sound boundary; let the HTTP client write it")
    return boundary.encode()


def read_parts(pieces: Iterator[bytes], boundary: bytes, parts: Parts) -> None:
    """Hand all that is in `pieces` to `parts`; InvalidRequest for what is no form, or breaks off."""
    reader = _Reader(boundary, parts)
    for piece in pieces:
        reader.take(piece)
    reader.close()


class _Reader:
    """Reads a form; holds back no more than a boundary, or the headers of a part."""

    def __init__(self, boundary: bytes, parts: Parts) -> None:
        self._delimiter = _END + b"--" + boundary
        self._parts = parts
        # The first boundary may stand at the very start: it is then found like the others.
        self._held = bytearray(_END)
        self._at = _At.PREAMBLE
        self._begun = 0
        self._steps: dict[_At, Callable[[], bool]] = {
            _At.PREAMBLE: self._data,
            _At.BOUNDARY: self._boundary,
            _At.HEADERS: self._headers,
            _At.DATA: self._data,
            _At.EPILOGUE: self._epilogue,
        }

    def take(self, piece: bytes) -> None:
        self._held += piece
        while self._steps[self._at]():
            pass

    def close(self) -> None:
        if self._at is not _At.EPILOGUE:
            raise _broken("it breaks off before its last boundary")

    # Each step says whether there may be more to do with what is held.

    def _data(self) -> bool:
        place = self._held.find(self._delimiter)
        end = place if place >= 0 else max(len(self._held) - len(self._delimiter) + 1, 0)
        in_part = self._at is _At.DATA
        if in_part and end:
            self._parts.add(bytes(self._held[:end]))
        if place < 0:
            del self._held[:end]
            return False
        del self._held[: place + len(self._delimiter)]
        if in_part:
            self._parts.end()
        self._at = _At.BOUNDARY
        return True

    def _boundary(self) -> bool:
        if self._held.startswith(b"--"):
            self._at = _At.EPILOGUE
            return True
        end = self._held.find(_END)
        padding = self._held[:end] if end >= 0 else self._held
        if len(padding) > _LONGEST_PADDING or (end >= 0 and padding.strip(b" \t")):
            raise _broken("a boundary does not end its line")
        if end < 0:
            return False
        # The end of the line stays: a part without headers is then an empty line like any other.
        del self._held[:end]
        self._at = _At.HEADERS
        return True

    def _headers(self) -> bool:
        end = self._held.find(_END + _END)
        if (end if end >= 0 else len(self._held)) > _LONGEST_HEADERS:
            raise _broken(f"the headers of a part are over {_LONGEST_HEADERS} bytes")
        if end < 0:
            return False
        self._begun += 1
        if self._begun > _MOST_PARTS:
            raise _broken(f"it has more than {_MOST_PARTS} parts")
        self._parts.begin(*_named(bytes(self._held[:end])))
        del self._held[: end + 4]
        self._at = _At.DATA
        return True

    def _epilogue(self) -> bool:
        self._held.clear()
        return False


def _named(headers: bytes) -> tuple[str, str | None]:
    """The name and the filename of a part."""
    try:
        lines = headers.decode().split("\r\n")
    except UnicodeDecodeError:
        raise _broken("the headers of a part are not UTF-8") from None
    told = [line.partition(":")[2] for line in lines if line.lower().startswith("content-disposition:")]
    if len(told) != 1:
        raise _broken("a part needs a Content-Disposition, and one")
    _, options = parse_options_header(told[0].strip())
    name = options.get("name", "")
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise _broken(f"each part needs a name of at most {_LONGEST_NAME} characters")
    return name, options.get("filename")


def _broken(why: str) -> InvalidRequest:
    return InvalidRequest(f"the body is not sound multipart/form-data: {why}")
