"""How an answer goes onto the wire: its latency, its pace, and what an injected fault makes of it."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from sandbox.behaviour import Behaviour, Fault
from sandbox.connection import Connection
from sandbox.dialects.base import Headers, Reply, Stream
from sandbox.witness import Outcome

StartResponse = Callable[[str, list[tuple[str, str]]], object]
MARK = ("x-sandbox", "1")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_BROKEN_EVENT = b'data: {"id": "sandbox", "cho\n\n'


@dataclass(frozen=True, slots=True)
class Delivery:
    """One answer on its way. `ended` is called once with the outcome and the status sent, whatever happens."""

    connection: Connection
    behaviour: Behaviour
    start_response: StartResponse
    ended: Callable[[Outcome, int], None]
    rng: Random

    def send(self, answer: Reply | Stream, tokens: int = 0) -> Iterator[bytes]:
        """Send an answer; `tokens` lengthen one in one piece where a pace is set."""
        outcome, status = Outcome.DISCONNECTED, 0
        fault = self.behaviour.fault
        try:
            if not self._waited(tokens):
                _break_off()
            if fault is Fault.RESET or fault is Fault.STALL:
                outcome = self._interrupted(fault)
                _break_off()
            status = answer.status if isinstance(answer, Reply) else 200
            headers, frames, pace = self._wired(answer)
            self.start_response(_STATUS_LINES.get(status) or f"{status} Sandbox", [MARK, *headers])
            if fault is Fault.CUT:
                yield from self._paced(frames[: len(frames) // 2], pace)
                outcome = Outcome.FAILED
                _break_off()
            yield from self._paced(frames, pace)
            outcome = _outcome(status, fault)
        finally:
            self.ended(outcome, status)

    def _waited(self, tokens: int) -> bool:
        """Let the latency pass; False where the client left meanwhile."""
        behaviour = self.behaviour
        seconds = behaviour.latency_ms / 1000
        if behaviour.latency_jitter_ms:
            seconds += self.rng.uniform(0, behaviour.latency_jitter_ms) / 1000
        if behaviour.tokens_per_s:
            seconds += tokens / behaviour.tokens_per_s
        return self.connection.wait(seconds) if seconds else not self.connection.gone()

    def _interrupted(self, fault: Fault) -> Outcome:
        if fault is Fault.RESET:
            self.connection.reset()
        elif not self.connection.wait(self.behaviour.stall_s):
            return Outcome.DISCONNECTED
        return Outcome.FAILED

    def _wired(self, answer: Reply | Stream) -> tuple[Headers, Sequence[bytes], float | None]:
        """Headers, what is sent in which pieces, and how many pieces a second."""
        malformed = self.behaviour.fault is Fault.MALFORMED
        if isinstance(answer, Stream):
            half = len(answer.frames) // 2
            broken = [*answer.frames[:half], _BROKEN_EVENT, *answer.frames[half:]]
            headers = (*answer.headers, ("Cache-Control", "no-cache"))
            return headers, broken if malformed else answer.frames, self.behaviour.tokens_per_s
        body = answer.body[: len(answer.body) // 2] if malformed else answer.body
        half = len(body) // 2
        return (*answer.headers, ("Content-Length", str(len(body)))), (body[:half], body[half:]), None

    def _paced(self, frames: Sequence[bytes], pace: float | None) -> Iterator[bytes]:
        if pace is None:
            yield b"".join(frames)
            return
        for number, frame in enumerate(frames):
            if number and not self.connection.wait(1 / pace):
                _break_off()
            yield frame


def _break_off() -> None:
    """Say no more: the server takes this for a client that left, and closes without another word."""
    raise ConnectionResetError(errno.ECONNRESET, "broken off by the sandbox")


def _outcome(status: int, fault: Fault | None) -> Outcome:
    if fault is Fault.MALFORMED or (fault is Fault.ERROR and status < 300):
        return Outcome.FAILED
    if status == 429:
        return Outcome.REFUSED_429
    return Outcome.COMPLETED if status < 300 else Outcome.FAILED
