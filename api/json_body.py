"""Reading a request's JSON body."""

from typing import Any

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from routing.errors import BodyTooLarge, InvalidRequest, UnsupportedContentType
from workers.requests.json_text import parse_json_object


def read_json_object() -> dict[str, Any]:
    """The request's body as a JSON object.

    InvalidRequest, BodyTooLarge or UnsupportedContentType says what is wrong with it.
    """
    # A body that is not said to be anything is taken for what it must be.
    if request.mimetype and not request.is_json:
        said = request.mimetype[:80]
        raise UnsupportedContentType(f"the body is said to be {said!r}; send JSON, as Content-Type: application/json")
    return parse_json_object(_whole_body())


def _whole_body() -> bytes:
    """The body to its end. What breaks off is not taken for whole, though it may look so."""
    most, said = request.max_content_length or 0, request.content_length
    too_large = BodyTooLarge(f"the request body is over {most} bytes")
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise too_large from None
    except ClientDisconnected:
        raise InvalidRequest("the request body ended before its Content-Length") from None
    # Werkzeug ends a body without Content-Length at the limit, and a shorter one where the connection ends: in silence.
    if said is None and len(raw) >= most:
        raise too_large
    if said is not None and len(raw) < said:
        raise InvalidRequest("the request body ended before its Content-Length")
    return raw
