"""What providers let us send: limits as their answers tell them, and the wait for a permit. Pure.

A limit is a bucket that refills evenly, as vendors describe theirs; the ledger's scripts take from it (permit.lua), and
what they wrote is read here, for the plan's estimates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

# As in permit.lua.
_BURST, _PACE = 0.98, 0.99


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit as an answer tells it. `name`: rpm, rpd (requests), tpm, itpm, otpm (tokens: all, prompts, answers)."""

    name: str
    limit: int
    remaining: int
    period_ms: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of one limit: `level` at `at_s` (Unix seconds)."""

    name: str
    limit: float
    period_s: float
    level: float
    at_s: float

    @property
    def size(self) -> float:
        """The most it holds: a little less than the limit."""
        return max(self.limit * _BURST, 1.0)

    @property
    def per_s(self) -> float:
        """What it gains each second."""
        return self.limit * _PACE / self.period_s

    def wait_s(self, now: float, amount: float, ahead: int = 0) -> float:
        """Seconds until a call of `amount` may go, after `ahead` others like it."""
        level = min(self.size, self.level + max(now - self.at_s, 0.0) * self.per_s)
        missing = min(amount, self.size) * (ahead + 1) - level
        return missing / self.per_s if missing > 1e-6 else 0.0


@dataclass(frozen=True, slots=True)
class Permits:
    """What is known of one account's or deployment's limits. Nothing goes before `gate_s` (Unix seconds)."""

    gate_s: float = 0.0
    # When an answer told of them last, Unix seconds.
    told_s: float = 0.0
    buckets: tuple[Bucket, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Permits | None":
        """A field of the ledger's hash of permits (its form is told in permit.lua); None where it is malformed."""
        words = text.split()
        if len(words) % 5 != 2:
            return None
        try:
            buckets = [_bucket(*words[start : start + 5]) for start in range(2, len(words), 5)]
            return cls(_number(words[0]) / 1000, _number(words[1]) / 1000, tuple(buckets))
        except ValueError:
            return None

    def idle_since(self, moment: float) -> bool:
        """Whether nothing happened to it after `moment`, and nothing is to come."""
        return max([self.gate_s, *(bucket.at_s for bucket in self.buckets)]) < moment

    def wait_s(self, now: float, demand: Mapping[str, float], ahead: int = 0) -> float:
        """Seconds until a call that takes `demand` of each kind of bucket may go, after `ahead` others like it."""
        waits = [bucket.wait_s(now, demand.get(bucket.name, 1.0), ahead) for bucket in self.buckets]
        return max([self.gate_s - now, 0.0, *waits])


def demand(prompt_tokens: int, completion_tokens: int) -> dict[str, float]:
    """What one call takes of each kind of bucket."""
    return {
        "rpm": 1,
        "rpd": 1,
        "tpm": prompt_tokens + completion_tokens,
        "itpm": prompt_tokens,
        "otpm": completion_tokens,
    }


def longest_wait_s(scopes: Iterable[Permits | None], now: float, needed: Mapping[str, float], ahead: int) -> float:
    """The wait for permits of all `scopes`, as a call needs those of its account and of its deployment."""
    return max((scope.wait_s(now, needed, ahead) for scope in scopes if scope is not None), default=0.0)


def _bucket(name: str, limit: str, period_ms: str, level: str, at_ms: str) -> Bucket:
    held = Bucket(name, _number(limit), _number(period_ms) / 1000, _number(level), _number(at_ms) / 1000)
    if held.limit <= 0 or held.period_s <= 0:
        raise ValueError(name)
    return held


def _number(word: str) -> float:
    number = float(word)
    if not isfinite(number):
        raise ValueError(word)
    return number
