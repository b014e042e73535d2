"""One real completion through the API, as any caller would send it, and what came of it."""

import threading
from dataclasses import dataclass, field
from typing import Any

from cli.client import ApiError, Client

MODEL = "gpt-3.5-turbo"
QUESTION = "Say hello in one short sentence."


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What the API answered: an answer with its route, or an error in words."""

    text: str | None = None
    error: str | None = None
    route: dict[str, Any] = field(default_factory=dict)

    def route_line(self) -> str:
        """The route in one line: job, provider and model, attempts, times."""
        attempts = self.route.get("attempts") or []
        last = attempts[-1] if attempts else {}
        count = f"{len(attempts)} attempt{'s' if len(attempts) != 1 else ''}"
        return " · ".join(
            (
                str(self.route.get("job_id", "no job id")),
                f"{last.get('provider', '?')}/{last.get('model', '?')}",
                count,
                f"queue {_ms(self.route.get('queue_time'))}",
                f"total {_ms(self.route.get('total_processing_time'))}",
            )
        )


class Probe:
    """A completion under way in a thread of its own, so that the supervisor goes on watching."""

    def __init__(self, api_url: str, key: str, *, model: str = MODEL, timeout_s: float) -> None:
        self._answer: ProbeAnswer | None = None
        self._thread = threading.Thread(target=self._run, args=(api_url, key, model, timeout_s), daemon=True)
        self._thread.start()

    @property
    def answer(self) -> ProbeAnswer | None:
        """None while it is under way."""
        return self._answer

    def _run(self, api_url: str, key: str, model: str, timeout_s: float) -> None:
        self._answer = complete(api_url, key, model=model, timeout_s=timeout_s)


def request_body(model: str = MODEL, question: str = QUESTION) -> dict[str, Any]:
    """The smallest chat completion request."""
    return {"model": model, "messages": [{"role": "user", "content": question}]}


def complete(api_url: str, key: str, *, model: str = MODEL, timeout_s: float) -> ProbeAnswer:
    """Ask for one completion; every failure is an answer with its error."""
    try:
        with Client(api_url, key) as client:
            return _read(client.post("/v1/chat/completions", request_body(model), timeout_s=timeout_s))
    except ApiError as error:
        return ProbeAnswer(error=error.message if error.status is None else f"HTTP {error.status}: {error.message}")


def _read(body: Any) -> ProbeAnswer:
    try:
        text = body["choices"][0]["message"]["content"]
    except (LookupError, TypeError):
        return ProbeAnswer(error="the answer is not a chat completion")
    route = body.get("routing_metadata")
    return ProbeAnswer(text=str(text or "").strip(), route=route if isinstance(route, dict) else {})


def _ms(value: Any) -> str:
    return f"{value:.0f} ms" if isinstance(value, int | float) else "unknown"
