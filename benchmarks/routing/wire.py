"""HTTP of the suite: one chat completion to a gateway or a provider, and the sandbox's control route."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from benchmarks.request import KEY

# Nobody waits longer, under any strategy.
PATIENCE_S = 30.0
_NO_RETRIES = urllib3.Retry(total=False, redirect=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's or a gateway's answer. `status` is 0 where the connection failed or patience ended."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether it is a completion."""
        return self.status == 200 and bool(self.body.get("choices"))

    @property
    def tokens(self) -> tuple[int, int]:
        """Prompt and completion tokens."""
        usage = self.body.get("usage") or {}
        return usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)


class Endpoint:
    """One server on loopback, called by any number of greenlets at once over connections that are kept."""

    def __init__(self, port: int) -> None:
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=2000, block=False)
        self._headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

    def chat(self, path: str, model: str, number: int, **fields: Any) -> Reply:
        """Send the request number `number`; all strategies send the same text."""
        text = f"Request {number:06d}: say in a few words what a router does when its favourite provider is unwell."
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        try:
            status, told = self._exchange("POST", path, body)
        except (HTTPError, OSError, ValueError):
            return Reply(0)
        return Reply(status, told if isinstance(told, dict) else {})

    def behave(self, provider: str, behaviour: Mapping[str, Any]) -> None:
        """Set how a sandbox provider behaves."""
        self._control("PUT", f"{provider}/behaviour", behaviour)

    def forget_calls(self) -> None:
        """Have the sandbox's witness count from zero."""
        self._control("DELETE", "calls")

    def calls(self) -> Mapping[str, int]:
        """How many calls reached each sandbox provider."""
        return {name: counts["total"] for name, counts in self._control("GET", "calls")["by_provider"].items()}

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        status, told = self._exchange(method, f"/_sandbox/{path}", body)
        if status != 200:
            raise RuntimeError(f"the sandbox answered {method} {path} with {status}: {told}")
        return told

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        response = self._pool.urlopen(
            method, path, data, self._headers, retries=_NO_RETRIES, redirect=False, timeout=PATIENCE_S
        )
        return response.status, json.loads(response.data)
