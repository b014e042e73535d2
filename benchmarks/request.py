"""The one request that every run sends, and what makes its answer a good one. No I/O."""

import json

KEY = "sk-bench"
MODEL = "bench"
_PROMPT = (
    "Explain to a new colleague, in plain words, why a gateway writes a request down before it calls anybody. " * 3
)


def request_bytes(port: int, path: str = "/v1/chat/completions") -> bytes:
    """The one request of all runs, head and body: a little over 500 bytes."""
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": _PROMPT.strip()}]}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def complaint(answer: bytes | bytearray) -> str | None:
    """What is wrong with a whole HTTP answer: None for a 200 with choices in it."""
    if not answer.startswith(b"HTTP/1.1 200"):
        return f"status {bytes(answer[9:12]).decode('latin-1')}"
    if answer.find(b'"choices"') < 0:
        return "no choices"
    return None
