"""Every error leaves in the form its caller reads, OpenAI's or Anthropic's, and nothing of our insides with it."""

from typing import Any

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from api import replies, retry_headers
from api.context import REQUEST_ID
from api.refusal import OWN_FAULT, refusal_of
from routing.errors import RouterError, WaitEnded
from workers.surfaces.base import Surface
from workers.surfaces.registry import CHAT, MESSAGES

log = structlog.get_logger()

# Paths whose clients read errors in another form than OpenAI's. By path and not by route: a wrong method has no route.
_SURFACES: tuple[tuple[str, Surface], ...] = (("/v1/messages", MESSAGES),)


def register(app: Flask) -> None:
    """Have `app` answer every exception."""
    app.register_error_handler(RouterError, _router_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _router_error(error: RouterError) -> Response:
    response = _told(error.body(), error.status)
    if error.retry_after_s is not None:
        retry_headers.tell_wait(response, error.retry_after_s)
    if not error.retryable:
        retry_headers.forbid_retry(response)
    if isinstance(error, WaitEnded):
        response.headers["Location"] = f"/v1/jobs/{error.job_id}"
        response.headers["X-Job-Id"] = error.job_id
    return response


def _http_error(error: HTTPException) -> Response:
    """Flask's own errors: unknown path, wrong method, a request that is no HTTP."""
    status = error.code or 500
    kind = "invalid_request_error" if status < 500 else "api_error"
    code = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}.get(status)
    body = {"error": {"message": _words(error), "type": kind, "param": None, "code": code}}
    response = _told(body, status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _words(error: HTTPException) -> str:
    path = request.path[:200]
    if isinstance(error, NotFound):
        return f"there is no URL {path!r} here; GET /docs lists those there are"
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return f"{path} does not take {request.method}; it takes {allowed}"
    return error.description or error.name


def _unexpected(error: Exception) -> Response:
    # The body's chunks are read while the application runs, and may be none.
    told = refusal_of(error)
    if told is None:
        log.error("request.failed", exc_info=error)
        told = OWN_FAULT
    status, shown = told
    return _told(shown.body(), status)


def _told(body: dict[str, Any], status: int) -> Response:
    """An error in the form of the surface that was asked."""
    surface = next((surface for path, surface in _SURFACES if f"{request.path}/".startswith(f"{path}/")), CHAT)
    return replies.as_json(surface.error(body, status, request.environ.get(REQUEST_ID, "")), status)
