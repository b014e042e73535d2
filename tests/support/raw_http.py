"""HTTP by hand: what is sent is sent as it is, and what comes back is read to the end of the connection."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.stack import KEY


@dataclass(frozen=True)
class RawAnswer:
    """One answer as it came; `rest` is what came after it on the same connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    rest: bytes

    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)


def connect(port: int, timeout_s: float = 30) -> socket.socket:
    """A connection to the API."""
    return socket.create_connection(("127.0.0.1", port), timeout_s)


def head(path: str = "/v1/chat/completions", method: str = "POST", key: str = KEY, **headers: str) -> bytes:
    """The head of a request, its last line included; underscores in names are hyphens."""
    told = {"Host": "127.0.0.1", "Authorization": f"Bearer {key}", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the other side closes; a reset ends it, too."""
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
    except ConnectionResetError:
        pass
    return came


def parse(came: bytes) -> RawAnswer:
    """The first answer in `came`; its body is as long as it says."""
    top, _, rest = came.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    return RawAnswer(int(first.split()[1]), headers, rest[:length], rest[length:])


def exchange(port: int, data: bytes) -> RawAnswer:
    """Send `data` and nothing more; the first answer, and all that came after it."""
    with connect(port) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return parse(read_all(connection))
