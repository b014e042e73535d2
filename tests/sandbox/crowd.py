"""Many callers at once, as a process of their own: `python -m tests.sandbox.crowd URL CALLERS`."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 -- after the patch
import resource  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import gevent  # noqa: E402


def main(url: str, callers: int) -> None:
    """Print how many were answered with 200, and the longest wait in seconds."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    address = (urlsplit(url).hostname, urlsplit(url).port)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
    head = "POST /groq/openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: close"
    request = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def call() -> tuple[bool, float]:
        started = time.monotonic()
        with socket.create_connection(address) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}"), time.monotonic() - started

    greenlets = [gevent.spawn(call) for _ in range(callers)]
    gevent.joinall(greenlets, raise_error=True)
    print(sum(greenlet.value[0] for greenlet in greenlets), max(greenlet.value[1] for greenlet in greenlets))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
