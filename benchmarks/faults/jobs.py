"""Single jobs beside the batch, each with a webhook: whoever dies, none may be missing."""

import threading
import time
from typing import Any, Self

import requests

from benchmarks.request import KEY, MODEL

# A POST that is not answered within this is sent again, with its Idempotency-Key.
_PATIENCE_S, _PAUSE_S = 5.0, 0.3


class Jobs:
    """Submits background jobs at a steady pace from a thread of its own. A context manager: leaving it ends that."""

    def __init__(self, port: int, webhook_url: str, every_s: float) -> None:
        self.accepted: list[str] = []
        # Answers that were neither an acceptance nor a failure of a part that was killed.
        self.refused: list[str] = []
        self._url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self._webhook_url = webhook_url
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {KEY}"
            number = 0
            while not self._stopped.wait(self._every_s):
                number += 1
                self._submit(session, number)

    def _submit(self, session: requests.Session, number: int) -> None:
        """Until it is accepted: the same key makes the same job of all tries."""
        body: dict[str, Any] = {
            "model": MODEL,
            "messages": [{"role": "user", "content": f"job {number}"}],
            "background": True,
            "webhook_url": self._webhook_url,
        }
        while True:
            try:
                headers = {"Idempotency-Key": f"beside-{number}"}
                answer = session.post(self._url, json=body, headers=headers, timeout=_PATIENCE_S)
            except requests.RequestException:
                time.sleep(_PAUSE_S)
                continue
            if answer.status_code == 503:
                time.sleep(_PAUSE_S)
                continue
            if answer.status_code in (200, 202):
                self.accepted.append(answer.headers["X-Job-Id"])
            else:
                self.refused.append(f"{answer.status_code}: {answer.text[:200]}")
            return
