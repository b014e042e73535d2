"""The sandbox as a real process on a free port, for tests that need a provider."""

import http.client
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from tests.support.guard import guard

_ROOT = Path(__file__).resolve().parents[2]
_START_S = 20.0
_STOP_S = 10.0


class SandboxProcess:
    """One `python -m sandbox`. `url` is where it listens, once started; a context manager starts and stops it."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "SandboxProcess":
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "sandbox", "--host", self.host, "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        self.process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        guard().watch(self.process.pid)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _START_S)
        line = self.process.stdout.readline() if ready else ""
        if "listening on " not in line:
            self.stop()
            raise RuntimeError(f"the sandbox did not start: {line!r}")
        self.url = line.rpartition(" ")[2].strip()
        return self

    def stop(self) -> int:
        """Ask it to end, and see that it does; returns its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait(_STOP_S)
        guard().forget(self.process.pid)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def calls(self, *, log: bool = False) -> dict[str, Any]:
        """What the witness counted; with `log` also its log and `completed_by_marker`."""
        return self._control("GET", "/calls?log=1" if log else "/calls")

    def bodies(self) -> list[dict[str, Any]]:
        """What the last calls asked for, oldest first: provider, path and body of each."""
        found: list[dict[str, Any]] = self._control("GET", "/calls?bodies=1")["bodies"]
        return found

    def behave(self, provider: str = "*", **fields: Any) -> dict[str, Any]:
        """Replace a provider's behaviour, or everyone's."""
        return self._control("PUT", f"/{quote(provider)}/behaviour", fields)

    def behave_with(self, provider: str, key: str, **fields: Any) -> dict[str, Any]:
        """Replace the behaviour of a provider to one key."""
        return self._control("PUT", f"/{quote(provider)}/keys/{quote(key)}/behaviour", fields)

    def reset(self) -> None:
        """Forget every behaviour and all counts."""
        self._control("DELETE", "/*/behaviour")
        self._control("DELETE", "/calls")

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request(method, "/_sandbox" + path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {answer['error']['message']}")
        return answer
