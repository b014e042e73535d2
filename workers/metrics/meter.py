"""Counts in memory what happens in this process, until it is added to what all have counted. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from workers.metrics.metric import Metric

# Between the parts of a series' name, which is a field of the metric's hash.
SEPARATOR = "\x1f"
SUM = "sum"
# Of one metric in one process; what is beyond is counted under OTHER.
MOST_SERIES = 2000
OTHER = "other"

Increments = dict[str, dict[str, float]]


class Meter:
    """Increments by metric and field. A histogram has a field for each bucket that is not empty, and for the sum."""

    def __init__(self) -> None:
        self._added: Increments = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}

    def count(self, metric: Metric, labels: Sequence[str] = (), amount: float = 1) -> None:
        """Add to a counter."""
        if amount:
            self._add(metric, self._series_of(metric, labels), amount)

    def observe(self, metric: Metric, labels: Sequence[str], value: float) -> None:
        """Add a value to a histogram."""
        series = self._series_of(metric, labels)
        self._add(metric, f"{series}{SEPARATOR}{bisect_left(metric.buckets, value)}", 1)
        self._add(metric, f"{series}{SEPARATOR}{SUM}", value)

    def drain(self) -> Increments:
        """What was added since the last time."""
        added, self._added = self._added, {}
        return added

    def put_back(self, increments: Mapping[str, Mapping[str, float]]) -> None:
        """Add what could not be handed on."""
        for name, fields in increments.items():
            kept = self._added.setdefault(name, {})
            for field, amount in fields.items():
                kept[field] = kept.get(field, 0) + amount

    def _add(self, metric: Metric, field: str, amount: float) -> None:
        fields = self._added.setdefault(metric.name, {})
        fields[field] = fields.get(field, 0) + amount

    def _series_of(self, metric: Metric, labels: Sequence[str]) -> str:
        """The series' name. Labels are bounded: whatever callers make up, memory is not filled."""
        known = self._series.setdefault(metric.name, set())
        values = tuple(label.replace(SEPARATOR, "?")[:200] for label in labels)
        if values not in known:
            if len(known) >= MOST_SERIES:
                values = (OTHER,) * len(values)
            known.add(values)
        return SEPARATOR.join(values)
