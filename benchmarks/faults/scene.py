"""What happens while the batch runs: which part dies when, by how much of the batch is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.process import Process
from benchmarks.routing.folder import account
from benchmarks.routing.scenario import Condition
from benchmarks.routing.wire import Endpoint
from benchmarks.stack import Stack, System
from routing.prices import Price

NAME = "faults"
STEADY, DYING, STRICT = "steady", "dying", "strict"
_PRICE = Price(input=0.10, output=0.50)
LATENCY_MS = 300.0


def conditions() -> dict[str, Condition]:
    """How the three providers stand at the start: one lets through less than it would get."""
    plain = Condition(LATENCY_MS, _PRICE)
    return {STEADY: plain, DYING: plain, STRICT: replace(plain, requests_per_minute=1200)}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens once this part of the lines is done."""

    at: float
    what: str
    happen: Callable[[], None]


class Scene:
    """The parts of one run, and what happens to them."""

    def __init__(self, stack: Stack, product: System, control: Endpoint) -> None:
        self._stack = stack
        self._product = product
        self._control = control
        self._processes = list(product.processes)

    def events(self) -> list[Event]:
        """In their order."""
        return [
            Event(0.05, "a provider's worker is killed", lambda: self._kill("worker")),
            Event(0.20, "the batches' worker is killed", lambda: self._kill("background")),
            Event(0.35, "a provider dies", lambda: self.behave(DYING, fails_with=503)),
            Event(0.45, "the API is killed", lambda: self._kill("api")),
            Event(0.60, "Redis is killed", lambda: self._kill("redis")),
            Event(0.70, "the provider is back", lambda: self.behave(DYING)),
            Event(0.80, "a provider's worker is killed again", lambda: self._kill("worker")),
        ]

    def behave(self, provider: str, fails_with: int | None = None) -> None:
        """Have a provider stand as at the start, or fail."""
        condition = replace(conditions()[provider], fails_with=fails_with)
        self._control.behave(account(NAME, provider), condition.behaviour())

    def _kill(self, role: str) -> None:
        """End it by kill -9, and start it again, as a supervisor does."""
        place = next(place for place, process in enumerate(self._processes) if process.role == role)
        again: Process = self._stack.restart(self._processes[place])
        # The next of its role is another one.
        del self._processes[place]
        self._processes.append(again)
        if role == "api":
            again.wait_for_port(self._product.port, limit_s=60.0)
        elif role == "redis" and self._product.store_port is not None:
            again.wait_for_port(self._product.store_port)
