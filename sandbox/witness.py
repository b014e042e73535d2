"""Counts what reached the sandbox and how it ended. A client that left before its answer was whole is not answered."""

import json
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LOGGED = 100_000
MARKER_CHARACTERS = 64
# Of how many calls the bodies are kept, and how long they may be.
BODIES = 50
BODY_BYTES = 1 << 20


class Outcome(StrEnum):
    """How a call ended."""

    # A whole 2xx answer was written to a client that was still there.
    COMPLETED = "completed"
    REFUSED_429 = "refused_429"
    # Any other status, and every injected fault.
    FAILED = "failed"
    DISCONNECTED = "disconnected"


@dataclass(slots=True)
class Call:
    """One call under way. `status` is 0 until one is sent."""

    provider: str
    generation: int
    started_ms: int
    model: str = ""
    marker: str = ""
    key: str = ""
    status: int = 0


class Witness:
    """The counts and the log, since the start or the last reset."""

    def __init__(self) -> None:
        self._generation = 0
        self._total: Counter[str] = Counter()
        self._ended: Counter[tuple[str, Outcome]] = Counter()
        self._listings: Counter[str] = Counter()
        self._log: deque[tuple[str, str, str, str, int, str, int, int]] = deque(maxlen=LOGGED)
        self._bodies: deque[tuple[str, str, bytes]] = deque(maxlen=BODIES)

    def begin(self, provider: str, now_s: float, path: str = "", body: bytes = b"") -> Call:
        """A call to a provider's model has arrived; `path` is what stands behind the provider's name."""
        self._total[provider] += 1
        if len(body) <= BODY_BYTES:
            self._bodies.append((provider, path, body))
        return Call(provider, self._generation, int(now_s * 1000))

    def listed(self, provider: str) -> None:
        """A provider was asked for its models: no call to a model, and counted apart from them."""
        self._listings[provider] += 1

    def end(self, call: Call, outcome: Outcome, now_s: float) -> None:
        """The call is over; one from before the last reset is not counted."""
        if call.generation != self._generation:
            return
        self._ended[call.provider, outcome] += 1
        entry = (call.provider, call.model, call.marker, call.key, call.status, outcome.value, call.started_ms)
        self._log.append((*entry, int(now_s * 1000)))

    def reset(self) -> None:
        """Start from nothing; calls under way are forgotten."""
        self._generation += 1
        self._total.clear()
        self._ended.clear()
        self._listings.clear()
        self._log.clear()
        self._bodies.clear()

    def counts(self) -> dict[str, Any]:
        """The counts: total = completed + refused_429 + failed + disconnected + in_flight, also by provider.

        `listings` are the questions for models, by provider, and in no other count.
        """
        by_provider = {provider: self._of(provider) for provider in sorted(self._total)}
        whole: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
        for counts in by_provider.values():
            whole.update(counts)
        return {**whole, "by_provider": by_provider, "listings": dict(sorted(self._listings.items()))}

    def log(self) -> dict[str, Any]:
        """The last calls that ended, oldest first, and the completed ones among them by marker."""
        names = ("provider", "model", "marker", "key", "status", "outcome", "started_ms", "finished_ms")
        calls = [dict(zip(names, entry, strict=True)) for entry in self._log]
        completed = Counter(call["marker"] for call in calls if call["outcome"] == Outcome.COMPLETED)
        return {"log": calls, "completed_by_marker": dict(completed)}

    def bodies(self) -> dict[str, Any]:
        """What the last calls asked for, oldest first, as the vendor would see it; null where it was no JSON."""
        return {"bodies": [{"provider": name, "path": path, "body": _seen(body)} for name, path, body in self._bodies]}

    def _of(self, provider: str) -> dict[str, int]:
        ended = {outcome.value: self._ended[provider, outcome] for outcome in Outcome}
        total = self._total[provider]
        return {"total": total, **ended, "in_flight": total - sum(ended.values())}


def _seen(body: bytes) -> Any:
    """A body without the behaviour in it, which is meant for no vendor."""
    try:
        seen = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return {name: value for name, value in seen.items() if name != "sandbox"} if isinstance(seen, dict) else seen


_COUNTS = ("total", *Outcome, "in_flight")
