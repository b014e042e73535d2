"""What a run of streams comes to: how many were whole, when they began, how late their tokens were. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.summary import percentile


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One run of streams. `tokens` are those that arrived in its window; `errors` counts broken streams by reason.

    First tokens count from the request's sending, delays from a token's sending by the provider. Percentiles are of
    whole streams, in ms; None where there was none.
    """

    streams: int
    tokens: int
    seconds: float
    ttft_p50_ms: float | None
    ttft_p99_ms: float | None
    delay_p50_ms: float | None
    delay_p99_ms: float | None
    most_at_once: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many streams were not whole."""
        return sum(self.errors.values())

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """The summary as a JSON object."""
        return asdict(self)

    @classmethod
    def of(
        cls,
        ttfts_s: Sequence[float],
        delays_s: Sequence[float],
        *,
        tokens: int,
        seconds: float,
        most_at_once: int,
        errors: Mapping[str, int],
    ) -> "StreamSummary":
        """Sum up the whole streams of a run that took `seconds`."""
        firsts, delays = sorted(ttfts_s), sorted(delays_s)
        return cls(
            streams=len(firsts),
            tokens=tokens,
            seconds=seconds,
            ttft_p50_ms=_milliseconds(percentile(firsts, 50)),
            ttft_p99_ms=_milliseconds(percentile(firsts, 99)),
            delay_p50_ms=_milliseconds(percentile(delays, 50)),
            delay_p99_ms=_milliseconds(percentile(delays, 99)),
            most_at_once=most_at_once,
            errors=dict(errors),
        )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
