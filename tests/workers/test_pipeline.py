"""Sharing round trips between greenlets, on a real Redis."""

import gevent
import pytest
import redis as redis_py

from tests.support.process_node import RedisNode
from workers.pipeline import CommandPipeline
from workers.redis_client import connect


def test_commands_of_many_greenlets_share_round_trips(pipeline, redis, settings):
    """A hundred commands issued together cost Redis a handful of reads, and each gets its own reply."""
    key = f"{settings.key_prefix}counter"
    pipeline.call("INCR", key)
    before = redis.info("stats")["total_reads_processed"]
    calls = [gevent.spawn(pipeline.call, "INCR", key) for _ in range(100)]
    gevent.joinall(calls)
    reads = redis.info("stats")["total_reads_processed"] - before
    assert sorted(call.value for call in calls) == list(range(2, 102))
    assert reads < 20


def test_an_error_reaches_only_its_own_caller(pipeline, settings):
    """A bad command among good ones fails alone."""
    key = f"{settings.key_prefix}text"
    calls = [gevent.spawn(pipeline.call, *command) for command in (("SET", key, "x"), ("INCR", key), ("GET", key))]
    gevent.joinall(calls)
    assert (calls[0].value, calls[2].value) == (b"OK", b"x")
    assert isinstance(calls[1].exception, redis_py.ResponseError)


def test_a_command_that_cannot_be_sent_leaves_nobody_waiting(pipeline, settings):
    """A mistake in one command ends as an error, and the pipeline goes on."""
    key = f"{settings.key_prefix}text"
    with gevent.Timeout(5):
        with pytest.raises(redis_py.DataError):
            pipeline.call("SET", key, object())
        assert pipeline.call("SET", key, "x") == b"OK"


@pytest.fixture
def own_redis():
    node = RedisNode()
    node.ready()
    yield node
    node.teardown()


def test_a_restarted_server_is_found_again(own_redis):
    """The first command after a restart goes to a new connection by itself."""
    client = connect(own_redis.url)
    pipeline = CommandPipeline(client)
    pipeline.call("SET", "k", "v")
    own_redis.kill()
    own_redis.restart()
    assert pipeline.call("GET", "k") == b"v"
    pipeline.close()
    client.close()
