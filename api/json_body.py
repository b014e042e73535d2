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
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge(f"the request body is over {request.max_content_length} bytes") from None
    except ClientDisconnected:
        raise InvalidRequest("the request body ended before its Content-Length") from None
    return parse_json_object(raw)
