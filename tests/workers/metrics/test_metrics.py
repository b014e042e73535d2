"""What is counted in memory, kept in Redis by many, and read as Prometheus reads it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import ConnectionError as AwayError

from workers import redis_client
from workers.metrics import metric
from workers.metrics.exposition import exposition
from workers.metrics.keeper import Keeper
from workers.metrics.meter import MOST_SERIES, OTHER, Meter


def values(text):
    """Each sample: (name, labels) -> value. The parser refuses what Prometheus would."""
    samples = (sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples)
    return {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}


@pytest.fixture
def redis(settings):
    with redis_client.connect(settings.redis_url) as client:
        yield client


@pytest.fixture
def keep(redis, settings):
    """Keep what a meter has counted, as one process does."""
    return lambda meter: Keeper(redis, settings.key_prefix, meter).once()


def read(redis, settings, queues=()):
    return values(exposition(redis, settings.key_prefix, queues))


def test_what_many_processes_count_is_one_number(redis, settings, keep):
    """Each adds its own; nobody's restart takes anything away."""
    for amount in (2, 3):
        meter = Meter()
        meter.count(metric.RESCUED, ("lost_worker",), amount)
        keep(meter)
        keep(meter)
    assert read(redis, settings)["model_router_rescued_total", ("what", "lost_worker")] == 5


def test_a_histogram_counts_each_value_in_its_bucket(redis, settings, keep):
    """Buckets are cumulative, their bounds belong to them, and the sum is there."""
    meter = Meter()
    for value in (0.05, 0.06, 1.0, 1000.0):
        meter.observe(metric.CALL_DURATION, ("groq", "m"), value)
    keep(meter)
    found = read(redis, settings)
    labels = (("gen_ai_provider_name", "groq"), ("gen_ai_request_model", "m"))
    name = metric.CALL_DURATION.name
    wanted = {"0.05": 1, "0.1": 2, "1.0": 3, "600.0": 3, "+Inf": 4}
    assert {bound: found[(f"{name}_bucket", *labels, ("le", bound))] for bound in wanted} == wanted
    assert found[(f"{name}_sum", *labels)] == pytest.approx(1001.11)
    assert found[(f"{name}_count", *labels)] == 4


def test_made_up_labels_do_not_fill_the_memory():
    """Beyond a bound they are one series; separators in them make no other series."""
    meter = Meter()
    for number in range(MOST_SERIES + 10):
        meter.count(metric.RESCUED, (f"what-{number}",))
    fields = meter.drain()[metric.RESCUED.name]
    assert len(fields) == MOST_SERIES + 1
    assert fields[OTHER] == 10
    meter.count(metric.COST, ("a\x1fb", "m" * 500, "t"), 1)
    (field,) = meter.drain()[metric.COST.name]
    assert field == "\x1f".join(("a?b", "m" * 200, "t"))


def test_what_redis_did_not_take_is_kept_later(redis, settings):
    """Nothing is lost of a count while Redis is away, and /metrics says that it is."""
    away = redis_client.connect("redis://127.0.0.1:1/0")
    meter = Meter()
    meter.count(metric.RESCUED, ("expired",))
    with pytest.raises(AwayError):
        Keeper(away, settings.key_prefix, meter).once()
    assert values(exposition(away, settings.key_prefix, ())) == {("model_router_redis_up",): 0}
    meter.count(metric.RESCUED, ("expired",))
    Keeper(redis, settings.key_prefix, meter).once()
    assert read(redis, settings)["model_router_rescued_total", ("what", "expired")] == 2


def test_a_worker_is_counted_while_it_lives(redis, settings):
    """By the queues it serves; one that has said goodbye is none."""
    keeper = Keeper(redis, settings.key_prefix, Meter(), "provider.groq", lambda: 7)
    keeper.once()
    found = read(redis, settings)
    assert found["model_router_workers", ("queue", "provider.groq")] == 1
    assert found["model_router_jobs_in_progress", ("queue", "provider.groq")] == 7
    keeper.leave()
    assert ("model_router_workers", ("queue", "provider.groq")) not in read(redis, settings)
