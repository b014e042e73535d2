"""Deliveries refuse to be turned against the network they run in."""

import dataclasses

import pytest

from config.configuration import Configuration
from tests.support.webhook_receiver import WebhookReceiver
from tests.workers.conftest import outcome, submission
from workers.metrics.meter import Meter
from workers.webhooks.courier import Deliveries
from workers.webhooks.subjects import subjects_of

# Loopback, metadata services and private networks, written so that a list of forbidden texts misses them.
OTHER_SPELLINGS = [
    f"http://{host}/"
    for host in (
        *("127.1", "2130706433", "0177.0.0.1", "0x7f.1", "0", "0.0.0.0", "localhost", "[::]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]"),
        *("[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::1]"),
        *("[2001:0:7f00:1::]", "[::ffff:168.63.129.16]", "2852039166", "0xa9fea9fe"),
    )
]
RESERVED = [
    f"http://{host}/"
    for host in (
        *("172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]"),
    )
]


@pytest.fixture
def deliver(ledger, settings):
    """End a job with this webhook and make one attempt; returns what was recorded."""

    def attempt(url, *, allow_private):
        configuration = Configuration(providers={}, aliases={}, policies={}, tenants={}, sandbox=False)
        own = dataclasses.replace(settings, webhook_allow_private=allow_private)
        ledger.submit(submission(webhook=url))
        ledger.claim("job_1", 1)
        ledger.finish("job_1", 1, outcome())
        deliveries = Deliveries(ledger, own, lambda: configuration, subjects_of(ledger), Meter())
        [delivery_id] = deliveries.due("job_1")
        deliveries.attempt(delivery_id)
        return ledger.deliveries.read(delivery_id)

    return attempt


def test_loopback_is_refused_unless_allowed(deliver):
    """Outside the sandbox a webhook to this machine is not sent."""
    with WebhookReceiver() as receiver:
        recorded = deliver(receiver.url, allow_private=False)
        assert (recorded.status, recorded.tries, receiver.received) == ("pending", 1, [])


def test_loopback_is_served_when_the_operator_allows_it(deliver):
    """The setting for development opens it."""
    with WebhookReceiver() as receiver:
        assert deliver(receiver.url, allow_private=True).status == "delivered"
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://0x7f000001/",
        "http://168.63.129.16/",
        "http://100.100.100.200/",
        "http://[fd00:ec2::254]/",
        *OTHER_SPELLINGS,
        *RESERVED,
    ],
)
def test_addresses_inside_the_network_are_refused(deliver, url):
    """Metadata services, private ranges and spelled-out loopback are refused before a connection is made."""
    [attempt] = deliver(url, allow_private=False).attempts
    assert (attempt["error"], attempt["status_code"]) == ("InvalidIPAddress", None)


def test_a_receiver_cannot_send_us_elsewhere(deliver):
    """A redirect is not followed: the address behind it was never checked."""
    with WebhookReceiver() as inside, WebhookReceiver([302], headers={"Location": inside.url}) as receiver:
        recorded = deliver(receiver.url, allow_private=True)
        assert len(receiver.received) == 1
        assert (recorded.status, inside.received) == ("pending", [])
