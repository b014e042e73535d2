"""What a list of latencies comes to: counts, throughput and percentiles of every sample. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """One load run. `errors` counts each reason; latencies are of answered requests only, None where there is none."""

    requests: int
    seconds: float
    throughput: float
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many requests had no good answer."""
        return sum(self.errors.values())

    def latencies(self) -> str:
        """The latencies in words."""
        if self.p50_ms is None:
            return "no answer"
        figures = (("p50", self.p50_ms), ("p90", self.p90_ms), ("p99", self.p99_ms), ("max", self.max_ms))
        return ", ".join(f"{name} {value:,.2f} ms" for name, value in figures)

    def to_json(self) -> dict[str, Any]:
        """The summary as a JSON object."""
        return asdict(self)

    @classmethod
    def of(cls, latencies_s: Sequence[float], seconds: float, errors: Mapping[str, int]) -> "Summary":
        """Sum up the latencies (seconds) of the requests answered within `seconds`."""
        ordered = sorted(latencies_s)
        p50, p90, p99, highest = (_milliseconds(percentile(ordered, q)) for q in (50, 90, 99, 100))
        return cls(
            requests=len(ordered),
            seconds=seconds,
            throughput=len(ordered) / seconds if seconds > 0 else 0.0,
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            max_ms=highest,
            errors=dict(errors),
        )


def percentile(ordered: Sequence[float], q: float) -> float | None:
    """The nearest-rank `q`-th percentile of an ascending sequence: always a sample; None of nothing."""
    if not ordered:
        return None
    return ordered[max(1, math.ceil(len(ordered) * q / 100)) - 1]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
