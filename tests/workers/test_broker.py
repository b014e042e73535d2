"""The workers' transport: order, window and batches, through kombu itself on a real Redis."""

import pytest
from kombu import Connection, Consumer, Queue

from workers import queues

QUEUE = Queue("provider.test", routing_key="provider.test")


@pytest.fixture
def connection(settings):
    options = queues.broker_options(settings.key_prefix, concurrency=10)
    with Connection(settings.redis_url, transport=queues.TRANSPORT, transport_options=options) as connection:
        yield connection


@pytest.fixture
def publish(connection):
    producer = connection.Producer()

    def send(*texts, priority=3):
        for text in texts:
            producer.publish(text, routing_key=QUEUE.name, priority=priority, declare=[QUEUE])

    return send


@pytest.fixture
def consume(connection):
    """Take messages with a window of `window`; returns the messages that were delivered."""

    def take(window, rounds=1, *, ack=False):
        channel = connection.channel()
        channel.basic_qos(prefetch_count=window)
        taken = []

        def deliver(message):
            taken.append(message)
            if ack:
                message.ack()

        with Consumer(channel, [QUEUE], on_message=deliver):
            for _ in range(rounds):
                try:
                    connection.drain_events(timeout=0.2)
                except TimeoutError:
                    break
        return taken

    return take


def texts(messages):
    return [message.payload for message in messages]


def test_messages_come_in_order_several_a_round_trip(publish, consume):
    """One round trip delivers what is there, oldest first."""
    publish("a", "b", "c")
    assert texts(consume(window=10)) == ["a", "b", "c"]


def test_urgent_tiers_come_first(publish, consume):
    """A more urgent message overtakes all that wait, whatever came first."""
    publish("batch", priority=9)
    publish("default", priority=3)
    publish("urgent", priority=0)
    assert texts(consume(window=10, rounds=5, ack=True)) == ["urgent", "default", "batch"]


def test_the_window_bounds_what_a_worker_holds(publish, consume):
    """Without acknowledgements a worker takes as many as it has slots, and the rest stays for others."""
    publish("a", "b", "c", "d")
    assert texts(consume(window=3, rounds=3)) == ["a", "b", "c"]
    assert texts(consume(window=3)) == ["d"]


def test_acknowledging_makes_room(publish, consume):
    """Each finished message lets another in."""
    publish("a", "b", "c", "d")
    assert texts(consume(window=1, rounds=10, ack=True)) == ["a", "b", "c", "d"]


def test_messages_are_remembered_nowhere(publish, consume, redis, settings):
    """No index of unacknowledged messages is kept: the ledger remembers."""
    publish("a")
    consume(window=1)
    left = {key.removeprefix(settings.key_prefix) for key in redis.keys(f"{settings.key_prefix}*")}
    assert left <= {"_kombu.binding.provider.test"}
