"""One line of a batch's input: what it must look like, and what it asks. Pure.

Source: OpenAI's reference for the Batch API, "The request input object".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from routing.errors import InvalidRequest
from workers.requests.json_text import parse_json_object

_CHUNK = 256 * 1024
LONGEST_CUSTOM_ID = 512
_MARK = b"\xef\xbb\xbf"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line that is not blank. `number` counts all lines from 1; `end` is the byte offset behind it."""

    number: int
    end: int
    # None: it is too long to be read.
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is to be run."""

    custom_id: str
    body: dict[str, Any]


class LineRefused(Exception):
    """A line cannot be part of the batch; `code`, `param` and the message are those of OpenAI's list of errors."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def raw_lines(file: Readable, longest: int, number: int = 0, offset: int = 0) -> Iterator[RawLine]:
    """The lines of `file`, which stands at byte `offset` behind line `number`; of one over `longest` bytes no text."""
    rest, dropped = b"", 0
    while True:
        chunk = file.read(_CHUNK)
        pieces = (rest + chunk).split(b"\n")
        rest = pieces.pop() if chunk else b""
        for piece in pieces:
            number += 1
            # The last line may end without a line break.
            size, dropped = dropped + len(piece), 0
            offset += size + (1 if chunk or piece is not pieces[-1] else 0)
            text = piece.removeprefix(_MARK) if number == 1 else piece
            if size > longest:
                yield RawLine(number, offset, None)
            elif text.strip():
                yield RawLine(number, offset, text)
        if dropped or len(rest) > longest:
            # It does not fill the memory, however long it is.
            rest, dropped = b"", dropped + len(rest)
        if not chunk:
            return


def read_line(text: bytes | None, endpoint: str) -> Line:
    """The request on a line; LineRefused says what is wrong with it."""
    if text is None:
        raise LineRefused("line_too_long", "This line is longer than a request may be (MODEL_ROUTER_MAX_BODY_BYTES).")
    try:
        request = parse_json_object(text)
    except InvalidRequest as error:
        raise LineRefused("invalid_json_line", f"This line is not valid JSON: {error.message}", error.param) from None
    custom_id, body = request.get("custom_id"), request.get("body")
    if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= LONGEST_CUSTOM_ID:
        raise LineRefused(
            "invalid_custom_id", f"custom_id must be a text of 1 to {LONGEST_CUSTOM_ID} characters", "custom_id"
        )
    if request.get("method", "POST") != "POST":
        raise LineRefused("invalid_method", "method must be POST", "method")
    if request.get("url", endpoint) != endpoint:
        raise LineRefused("mismatched_endpoint", f"url must be the batch's endpoint, {endpoint}", "url")
    if not isinstance(body, dict):
        raise LineRefused("invalid_body", "body must be an object: the request", "body")
    return Line(custom_id, body)
