"""The snapshot reader on a real Redis."""

import gevent
import pytest
from structlog.testing import capture_logs

from routing.breaker import Breaker, BreakerState, Bucket
from routing.health import Health
from routing.store import SnapshotReader

PREFIX = "mr:"
KEY = "mr:health"
QUEUES = {"groq": "provider.groq", "xai": "provider.xai"}
pytestmark = pytest.mark.integration


def test_reads_what_is_recorded_and_skips_what_is_malformed(redis_client):
    """Sound fields are read; a malformed one is left out and logged once."""
    redis_client.hset(KEY, mapping={"groq/a": "4 3 900 3 1 1000", "groq/b": "nonsense", "groq/c": b"\xff"})
    reader = SnapshotReader(redis_client, PREFIX)
    with capture_logs() as logs:
        assert reader.refresh()
        assert reader.refresh()
    assert reader.current.health == {"groq/a": Health(4, 3, 1, 1.0)}
    assert [(entry["event"], entry["deployment"]) for entry in logs] == [
        ("record.malformed", "groq/b"),
        ("record.malformed", "groq/c"),
    ]


def test_redis_away_keeps_the_last_snapshot(redis_server, redis_client):
    """While Redis is away the last snapshot stays, the absence is logged once, and reading goes on afterwards."""
    redis_client.hset(KEY, "groq/a", "1 1 100 1 0 1000")
    reader = SnapshotReader(redis_client, PREFIX)
    assert reader.refresh()
    before = reader.current
    redis_server.kill()
    with capture_logs() as logs:
        assert not reader.refresh()
        assert not reader.refresh()
    assert reader.current is before
    assert [entry["event"] for entry in logs] == ["health.unavailable"]
    redis_server.start()
    redis_client.hset(KEY, "groq/a", "2 1 100 1 1 2000")
    assert reader.refresh()
    assert reader.current.of("groq/a").consecutive_failures == 1


def test_wrong_type_is_not_fatal(redis_client):
    """A key of another type is logged and leaves the snapshot as it was."""
    redis_client.set(KEY, "not a hash")
    reader = SnapshotReader(redis_client, PREFIX)
    assert not reader.refresh()
    assert reader.current.health == {}


def test_greenlet_keeps_it_current(redis_client):
    """Once started, a new record is seen without anybody asking."""
    reader = SnapshotReader(redis_client, PREFIX, interval_s=0.01)
    reader.start()
    reader.start()
    try:
        redis_client.hset(KEY, "groq/a", "1 1 100 1 0 1000")
        with gevent.Timeout(10):
            while "groq/a" not in reader.current.health:
                gevent.sleep(0.01)
    finally:
        reader.stop()


def test_breakers_come_with_the_health(redis_client):
    """Both hashes are read together; only breakers that are not closed count as tripped."""
    redis_client.hset(KEY, "groq/a", "4 3 900 3 1 1000")
    breakers = {"groq": "closed 1000 0 0 0 - -", "groq/a": "open 2000 7000 1 1 - 2000:4:3:0", "groq/b": "ajar"}
    redis_client.hset("mr:breakers", mapping=breakers)
    reader = SnapshotReader(redis_client, PREFIX)
    with capture_logs() as logs:
        assert reader.refresh()
    assert reader.current.health.keys() == {"groq/a"}
    assert reader.current.breakers.keys() == {"groq", "groq/a"}
    assert reader.current.tripped == {"groq/a": Breaker(BreakerState.OPEN, 2, 7, 1, 1, 0, (Bucket(2, 4, 3, 0),))}
    assert [(entry["event"], entry["deployment"]) for entry in logs] == [("record.malformed", "groq/b")]


def test_queues_come_with_the_health(redis_client):
    """What stood in a queue at two readings, and how many were claimed in between, is a wait by priority step."""
    redis_client.rpush("mr:provider.groq\x06\x163", *range(50))
    redis_client.hset("mr:claims", mapping={"provider.groq": 100, "provider.gone": 3})
    reader = SnapshotReader(redis_client, PREFIX, queues=lambda: QUEUES)
    assert reader.refresh()
    assert reader.current.waits_ms == {}
    assert reader.refresh()
    urgent, usual, flexible, batch = reader.current.waits_ms["groq"]
    assert urgent == 0
    assert 0 < usual == flexible == batch
    assert reader.current.wait_ms("groq", 3) == usual
    assert reader.current.wait_ms("xai", 3) == 0
    redis_client.delete("mr:provider.groq\x06\x163")
    assert reader.refresh()
    assert reader.current.waits_ms == {}
