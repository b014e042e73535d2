"""gevent's HTTP handler, made lighter: headers without the email parser, a head and its body in one system call."""

from typing import Any, BinaryIO

from gevent import pywsgi

from sandbox.connection import Connection

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200


class Head:
    """A request's headers, in the shape that gevent's handler reads them."""

    # gevent looks here for a complaint; ours are raised.
    status = ""

    __slots__ = ("_values", "headers")

    def __init__(self, stream: BinaryIO) -> None:
        """Read up to the empty line. Raises ValueError, which gevent answers with 400, for what is no header."""
        self.headers: list[str] = []
        self._values: dict[str, str] = {}
        while True:
            line = stream.readline(_LONGEST_LINE + 1)
            if line in (b"\r\n", b"\n", b""):
                return
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip() or len(line) > _LONGEST_LINE:
                raise ValueError("malformed header")
            if len(self.headers) >= _MOST_HEADERS:
                raise ValueError("too many headers")
            self.headers.append(f"{name}:{value}")
            self._values[name.lower()] = value.strip()

    def get(self, name: str, default: str | None = None) -> str | None:
        """A header by its name."""
        return self._values.get(name.lower(), default)

    getheader = get

    @property
    def typeheader(self) -> str | None:
        """The content type."""
        return self._values.get("content-type")

    def __delitem__(self, name: str) -> None:
        del self._values[name.lower()]


class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]  # gevent is not typed
    """Serves one connection; puts it into the environment, and logs no line per request."""

    def MessageClass(self, stream: BinaryIO, *_: Any) -> Head:  # noqa: N802 -- gevent's name for it
        """Read a request's headers."""
        return Head(stream)

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environment, with the connection."""
        environ: dict[str, Any] = super().get_environ()
        environ[Connection.KEY] = Connection(self.socket)
        return environ

    def log_request(self) -> None:
        """Say nothing: the witness counts."""

    def _write_with_headers(self, data: bytes) -> None:
        """Send the head with the first piece of the body; gevent itself sends two packets."""
        self.headers_sent = True
        self.finalize_headers()
        lines = [b"HTTP/1.1 " + self.status, *(name + b": " + value for name, value in self.response_headers)]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if data and self.response_use_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._sendall(head + data)
