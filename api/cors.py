"""Which web pages may call the API from a browser: none, unless MODEL_ROUTER_CORS_ORIGINS names their origins."""

import re

from flask import Flask, Response, request

from api.openapi.headers import SENT

ANY = "*"
_METHODS = "GET, POST, PATCH, DELETE"
_EXPOSED = ", ".join(sorted(name for name in SENT if name != "ETag"))
# A browser asks again after so many seconds.
_MAX_AGE_S = 600
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(, ?[A-Za-z0-9!#$%&'*+.^_`|~-]+){0,63}")


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Have `app` answer pages of `origins`, or of all where one is `*`. Empty: nothing is said to any."""
    if not origins:
        return
    allowed = frozenset(origins)

    def preflight() -> Response | None:
        """The browser's question before the request: it carries no key, so it is answered before one is asked for."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204) if asks and _granted(allowed) else None

    def tell(response: Response) -> Response:
        response.vary.add("Origin")
        granted = _granted(allowed)
        if granted is None:
            return response
        # Never with credentials: a caller is known by its key, which no browser adds by itself.
        response.headers["Access-Control-Allow-Origin"] = granted
        # What is meant for another origin may be read there.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            wanted = request.headers.get("Access-Control-Request-Headers", "")
            if _HEADER_NAMES.fullmatch(wanted):
                response.headers["Access-Control-Allow-Headers"] = wanted
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_S)
        else:
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response

    app.before_request(preflight)
    app.after_request(tell)


def _granted(allowed: frozenset[str]) -> str | None:
    """What Access-Control-Allow-Origin says to this request; None: nothing. The admin API is for no web page."""
    origin = request.headers.get("Origin")
    if origin is None or f"{request.path}/".startswith("/admin/"):
        return None
    if ANY in allowed:
        return ANY
    return origin if origin in allowed else None
