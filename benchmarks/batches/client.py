"""Batches as a caller runs them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.batches.lines import input_file

_ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(slots=True)
class BatchClient:
    """One tenant's access to a running Model Router."""

    port: int
    key: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.key}"

    def create(self, lines: int, **fields: Any) -> str:
        """Upload an input of so many lines and have it run; the batch's id. `fields` go with the batch."""
        files = {"file": ("lines.jsonl", input_file(lines), "application/jsonl")}
        file = self._call("POST", "/v1/files", files=files, data={"purpose": "batch"})
        asked = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h", **fields}
        return str(self._call("POST", "/v1/batches", json=asked)["id"])

    def wait_for(self, batch_id: str, *statuses: str, limit_s: float = 600.0) -> dict[str, Any]:
        """The batch as soon as it has one of `statuses`, or has ended."""
        give_up_at = time.monotonic() + limit_s
        while True:
            batch = self.read(batch_id)
            if batch["status"] in (*statuses, *_ENDED):
                return batch
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{batch_id} is {batch['status']} after {limit_s:g} s")
            time.sleep(0.05)

    def read(self, batch_id: str) -> dict[str, Any]:
        """The batch as it is now."""
        return self._call("GET", f"/v1/batches/{batch_id}")

    def content(self, file_id: str) -> Iterator[bytes]:
        """The lines of a file."""
        url = f"http://127.0.0.1:{self.port}/v1/files/{file_id}/content"
        with self.session.get(url, timeout=120, stream=True) as response:
            response.raise_for_status()
            yield from response.iter_lines(chunk_size=1024 * 1024)

    def cancel(self, batch_id: str) -> None:
        """Run no more of it, and wait until that is so."""
        self._call("POST", f"/v1/batches/{batch_id}/cancel")
        self.wait_for(batch_id)

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self.session.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=120, **options)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found
