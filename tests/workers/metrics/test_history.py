"""The last hour by the minute: what is written comes back, of each tenant its own."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from workers.metrics import history
from workers.metrics.history import ENDED, EVERYBODY, MINUTES, SPENT, Minute
from workers.metrics.keeper import Keeper
from workers.metrics.meter import MOST_SERIES, Meter


@pytest.fixture
def client(redis_node):
    with Redis.from_url(redis_node.url) as client:
        yield client


def test_each_tenant_has_its_own_and_everybody_the_sum(client, settings):
    """Two keepers add up; a tenant's minutes hold nothing of another's; the metrics hold nothing of them."""
    for tenant, took_s in (("one", 0.3), ("one", 0.3), ("two", 5.0)):
        meter = Meter()
        meter.observe(ENDED, (tenant, "groq", "completed"), took_s)
        meter.count(SPENT, (tenant, "groq"), 0.25)
        Keeper(client, settings.key_prefix, meter).once()
    now = time.time()
    found = {tenant: history.read(client, settings.key_prefix, tenant, now) for tenant in ("one", "two", EVERYBODY)}
    assert {len(minutes) for minutes in found.values()} == {MINUTES}
    ended = {tenant: sum(sum(minute.jobs.values()) for minute in minutes) for tenant, minutes in found.items()}
    spent = {tenant: sum(sum(minute.cost_usd.values()) for minute in minutes) for tenant, minutes in found.items()}
    assert ended == {"one": 2, "two": 1, EVERYBODY: 3}
    assert spent == {"one": 0.5, "two": 0.25, EVERYBODY: 0.75}
    keys = [key.decode() for key in client.scan_iter(f"{settings.key_prefix}*")]
    assert not [key for key in keys if ":metrics:" in key]
    assert all(0 < client.ttl(key) <= history.keep_s() for key in keys)


def test_an_hour_later_nothing_is_told(client, settings):
    """Only the last hour is shown."""
    meter = Meter()
    meter.observe(ENDED, ("one", "groq", "completed"), 1.0)
    Keeper(client, settings.key_prefix, meter).once()
    later = history.read(client, settings.key_prefix, "one", time.time() + MINUTES * 60)
    assert sum(len(minute.jobs) for minute in later) == 0


def test_what_is_beyond_the_bound_is_nobodys_own():
    """Series that the meter has no room for count for everybody, and for no tenant that may be called so."""
    meter = Meter()
    for number in range(MOST_SERIES + 5):
        meter.count(SPENT, (f"tenant-{number}", "groq"), 1)
    assert len(meter.drain()[SPENT.name]) == MOST_SERIES + 1
    meter.count(SPENT, ("late", "groq"), 1)
    written = list(history.writes("p:", meter.drain(), 0.0))
    assert [key for key, _, _ in written] == ["p:history:*:0"]


def test_what_others_have_written_is_left_out():
    """Fields of another version, or of other minutes, do no harm."""
    fields = {b"5\x1fhistory_other\x1fgroq": b"3", b"nonsense": b"1", b"99\x1fhistory_cost_usd\x1fgroq": b"7"}
    assert history.minutes([fields], 5, 5) == [Minute(300)]


@given(st.lists(st.floats(0.0, 500.0), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values, share):
    """Whatever took how long, the estimate is between the bounds that the exact quantile is between."""
    meter = Meter()
    for value in values:
        meter.observe(ENDED, ("t", "groq", "completed"), value)
    stored = {field.encode(): str(amount).encode() for _, field, amount in history.writes("", meter.drain(), 0.0)}
    [minute] = history.minutes([stored], 0, 0)
    wanted = share * len(values)
    exact = next(value for rank, value in enumerate(sorted(values), 1) if rank >= wanted)
    bounds = (0.0, *ENDED.buckets)
    upper = next(bound for bound in bounds[1:] if exact <= bound)
    lower = bounds[bounds.index(upper) - 1] if upper in bounds else 0.0
    estimate = minute.quantile(share)
    assert estimate is not None
    assert lower - 1e-9 <= estimate <= upper + 1e-9


def test_a_minute_without_jobs_has_no_quantile():
    """Nothing ended: nothing is known."""
    assert Minute(0).quantile(0.5) is None
