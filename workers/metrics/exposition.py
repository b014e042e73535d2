"""All metrics as Prometheus reads them. Any API process gives the same."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import structlog
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString
from redis.exceptions import RedisError

from workers.metrics import metric
from workers.metrics.gauges import Sample, gauges
from workers.metrics.meter import SEPARATOR, SUM
from workers.metrics.metric import Kind, Metric

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger()


def exposition(client: "Redis", prefix: str, queues: Iterable[str]) -> bytes:
    """The text of all metrics; without Redis it says just that."""
    registry = CollectorRegistry()
    try:
        families = [*_kept(client, prefix), *_looked_up(gauges(client, prefix, queues))]
    except (RedisError, OSError) as error:
        log.warning("metrics.not_read", why=str(error))
        families = list(_looked_up([Sample(metric.UP, (), 0)]))
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _kept(client: "Redis", prefix: str) -> Iterator[Family]:
    step = client.pipeline(transaction=False)
    for kind in metric.KEPT:
        step.hgetall(f"{prefix}metrics:{kind.name}")
    for kind, stored in zip(metric.KEPT, step.execute(), strict=True):
        fields = {name.decode(errors="replace"): float(value) for name, value in stored.items()}
        yield _counter(kind, fields) if kind.kind is Kind.COUNTER else _histogram(kind, fields)


def _counter(kind: Metric, fields: Mapping[str, float]) -> Family:
    family = CounterMetricFamily(kind.name, kind.help, labels=kind.labels)
    for field, value in sorted(fields.items()):
        if (labels := _labels(kind, field)) is not None:
            family.add_metric(labels, value)
    return family


def _histogram(kind: Metric, fields: Mapping[str, float]) -> Family:
    family = HistogramMetricFamily(kind.name, kind.help, labels=kind.labels)
    series: dict[str, dict[str, float]] = {}
    for field, value in fields.items():
        name, _, part = field.rpartition(SEPARATOR)
        series.setdefault(name, {})[part] = value
    for name, parts in sorted(series.items()):
        labels = _labels(kind, name)
        if labels is None:
            continue
        buckets, total = [], 0.0
        for place, bound in enumerate((*map(floatToGoString, kind.buckets), "+Inf")):
            total += parts.get(str(place), 0.0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, parts.get(SUM, 0.0))
    return family


def _labels(kind: Metric, series: str) -> list[str] | None:
    """The values of a series' labels; None where another version has written others."""
    values = series.split(SEPARATOR)
    return values if len(values) == len(kind.labels) else None


def _looked_up(samples: Iterable[Sample]) -> Iterator[Family]:
    families: dict[str, GaugeMetricFamily] = {}
    for sample in samples:
        kind = sample.metric
        if kind.name not in families:
            families[kind.name] = GaugeMetricFamily(kind.name, kind.help, labels=kind.labels)
        families[kind.name].add_metric(sample.labels, sample.value)
    yield from families.values()
