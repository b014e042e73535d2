"""What the recorded attempts say of a deployment, as sums that fade. Written by the ledger, read here; no I/O."""

from dataclasses import dataclass, replace
from math import isfinite

from routing import speed
from routing.speed import Speed

# Evidence of uptime counts half after this long. The ledger's script, which writes it, uses the same.
HALF_LIFE_S = 300.0
# No more calls than this are remembered, so that an outage shows at once however many were good before.
MOST_CALLS = 100.0
# So many failures in a row were an outage. When a good call ends it, it counts as one failure.
OUTAGE = 5
# Every deployment is taken to have had this many good calls: an unknown one is trusted, and one failure is not the end.
PRIOR_CALLS = 10.0
# A record as it was before speed was a line: what it says of latency is not read.
_OLD_FORM = 6


@dataclass(frozen=True, slots=True)
class Health:
    """Decayed evidence of one deployment, as of its last attempt, `last_s` (Unix seconds)."""

    calls: float = 0.0
    successes: float = 0.0
    consecutive_failures: int = 0
    last_s: float = 0.0
    speed: Speed = speed.UNKNOWN

    @classmethod
    def parse(cls, text: str) -> "Health | None":
        """A field of the ledger's health hash; None where it is malformed.

        The form is `calls successes consecutive_failures`, the speed's `n x xx y yy xy last_ms`, and `last_ms`,
        separated by blanks. An older form, `calls successes _ _ consecutive_failures last_ms`, has an unknown speed.
        """
        try:
            numbers = tuple(map(float, text.split()))
        except ValueError:
            return None
        if len(numbers) == _OLD_FORM:
            numbers = (*numbers[:2], numbers[4], *(0.0,) * 7, numbers[5])
        line = speed.parse(numbers[3:-1])
        if line is None or not all(isfinite(number) and number >= 0 for number in numbers):
            return None
        calls, successes, failures = numbers[:3]
        return cls(calls, min(successes, calls), int(failures), numbers[-1] / 1000, line)

    def after(self, succeeded: bool, duration_ms: float, completion_tokens: float, now: float) -> "Health":  # noqa: FBT001 - as in the ledger's words
        """With one attempt more, at `now` (Unix seconds): the same as evidence.lua, which writes what this reads.

        `completion_tokens` counts only where it succeeded; 0 there: not known.
        """
        kept = self._kept(now)
        calls, successes = self.calls * kept, self.successes * kept
        if succeeded and self.consecutive_failures >= OUTAGE:
            calls -= min(self.consecutive_failures - 1, max(calls - successes - 1, 0.0))
        calls, successes = calls + 1, successes + succeeded
        scale = min(1.0, MOST_CALLS / calls)
        calls, successes = calls * scale, successes * scale
        if not succeeded:
            return Health(calls, successes, self.consecutive_failures + 1, now, self.speed)
        return Health(calls, successes, 0, now, self.speed.after(duration_ms, completion_tokens, now))

    def after_cut(self, duration_ms: float, now: float) -> "Health":
        """With one call that was cut short after `duration_ms`: another had answered. As evidence.lua does.

        It took at least so long. Where that is longer than the usual answer it counts as one of that length, so that
        one who is always overtaken does not look fast; it says nothing of uptime.
        """
        if not self.speed.known or duration_ms <= self.speed.mean_ms:
            return self
        return replace(self, speed=self.speed.after(duration_ms, 0, now))

    def uptime(self, now: float) -> float:
        """The share of calls that succeeded, 0..1, with the prior's good calls among them: 1 where nothing is known."""
        kept = self._kept(now)
        return (self.successes * kept + PRIOR_CALLS) / (self.calls * kept + PRIOR_CALLS)

    def evidence(self, now: float) -> float:
        """How many calls, faded, the uptime rests on."""
        return self.calls * self._kept(now)

    def _kept(self, now: float) -> float:
        # A clock behind the writer's makes nothing younger than new.
        age_s = now - self.last_s
        return 1.0 if age_s <= 0 else 0.5 ** (age_s / HALF_LIFE_S)


UNKNOWN = Health()
