"""What is answered where no application was reached: a request that is no HTTP, too large in its head, or too slow.

Nothing of what was sent is repeated, neither in the answer nor in the log: a broken head may hold a key.
"""

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from gunicorn.http import errors

from api.security_headers import ALWAYS, UNLESS_SAID
from routing.errors import InvalidRequest, RouterError
from routing.passage_errors import RequestTooSlow

# The first class that fits says the status and the words.
_REFUSALS: Mapping[type[Exception], tuple[int, str]] = {
    errors.LimitRequestLine: (414, "the request line is too long"),
    errors.LimitRequestHeaders: (431, "the request has too many headers, or one that is too long"),
    errors.ExpectationFailed: (417, "the header Expect asks for what is not known here"),
    errors.UnsupportedTransferCoding: (501, "this Transfer-Encoding is not known here; send chunked, or a length"),
    errors.InvalidHTTPVersion: (505, "this version of HTTP is not known here; send HTTP/1.1"),
    errors.InvalidRequestMethod: (400, "the request's method is none"),
    errors.InvalidRequestLine: (400, "the request line is not HTTP's"),
    errors.ObsoleteFolding: (400, "a header goes on in a second line"),
    errors.InvalidHeaderName: (400, "a header's name has a character that names have not"),
    errors.InvalidHeader: (400, "a header is broken, or says the body's length in two ways"),
    errors.InvalidSchemeHeaders: (400, "headers contradict each other about TLS"),
    errors.ParseException: (400, "the request is not HTTP"),
}

OWN_FAULT = (500, RouterError("the server met an error of its own; it has been logged"))
# They are the caller's by their base, and are not.
_OWN = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


def refusal_of(error: BaseException) -> tuple[int, RouterError] | None:
    """The status and the error that a caller is told of `error`; None where it is not the caller's."""
    if isinstance(error, RequestTooSlow):
        return error.status, error
    if isinstance(error, _OWN):
        return None
    found = next((told for kind, told in _REFUSALS.items() if isinstance(error, kind)), None)
    return None if found is None else (found[0], InvalidRequest(found[1]))


def page(status: int, error: RouterError) -> bytes:
    """A whole answer, after which the connection is closed."""
    body = json.dumps(error.body()).encode()
    headers = (
        ("Connection", "close"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Request-Id", f"req_{secrets.token_hex(12)}"),
        *ALWAYS,
        *UNLESS_SAID,
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode("ascii") + body
