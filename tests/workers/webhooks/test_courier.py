"""From an end to its receivers: one delivery each, tried again until it is taken, and lost by nobody."""

import dataclasses
import json
import socket

import pytest
import urllib3.util.connection
from standardwebhooks.webhooks import Webhook

from tests.support.webhook_receiver import WebhookReceiver
from workers.webhooks.delivery_log import Wanted
from workers.webhooks.sender import Sender
from workers.webhooks.subjects import subjects_of


@pytest.fixture
def outbox(redis, settings):
    """What stands in the outbox, with when it is due."""
    return lambda: dict(redis.zrange(f"{settings.key_prefix}outbox", 0, -1, withscores=True))


@pytest.fixture
def time_passes(redis, settings):
    """Everything that is waited for is over: leases, delays, turns."""

    def pass_by():
        prefix = settings.key_prefix
        for lane in redis.scan_iter(f"{prefix}lane:*"):
            redis.zadd(lane, dict.fromkeys(redis.zrange(lane, 0, -1), 0))
        for member in redis.zrange(f"{prefix}outbox", 0, -1):
            redis.zadd(f"{prefix}outbox", {member: 0})
            if member.startswith("dlv_"):
                redis.hset(f"{prefix}delivery:{member}", "next", 0)

    return pass_by


def deliver(ledger, courier):
    """What workers do with all that is due; the deliveries they tried."""
    tried = []
    for what, member in ledger.rescue():
        assert what == "webhook"
        for delivery_id in courier.due(member):
            following = delivery_id
            while following is not None:
                tried.append(following)
                following = courier.attempt(following)
    return tried


def test_each_receiver_has_a_delivery_of_its_own(ledger, courier, endpoint, end, outbox):
    """The request's own URL and every endpoint that wants the event, each signed with its own secret; no other."""
    with WebhookReceiver() as own, WebhookReceiver() as first, WebhookReceiver() as second, WebhookReceiver() as other:
        wanting = endpoint(first.url), endpoint(second.url, ("job.failed", "job.completed"))
        endpoint(other.url, ("job.failed",))
        endpoint(other.url, disabled=True)
        endpoint(other.url, tenant="rival")
        end(webhook=own.url)
        assert len(deliver(ledger, courier)) == 3
        assert outbox() == {}
        secrets = [ledger.endpoints.tenant_keyring("acme"), *(endpoint.keyring for endpoint in wanting)]
        for receiver, keyring in zip((own, first, second), secrets, strict=True):
            [(headers, body)] = receiver.received
            told = Webhook(keyring.current).verify(body, headers)
            assert (told["type"], told["data"]["id"]) == ("job.completed", "job_1")
        assert other.received == []


def test_who_has_no_receiver_costs_nothing(endpoint, end, outbox):
    """A job without a URL, of a tenant without endpoints, never stands in the outbox."""
    endpoint("http://127.0.0.1:9/", tenant="rival")
    end()
    assert outbox() == {}


def test_an_event_is_fanned_out_once(ledger, courier, endpoint, end, outbox):
    """However many workers have the same pointer, and die with it, there is one delivery for each receiver."""
    endpoint("http://127.0.0.1:9/")
    end()
    assert ledger.rescue() == [("webhook", "job_1")]
    # The worker that had it died before it did anything.
    assert list(outbox()) == ["job_1"]
    made = courier.due("job_1")
    assert len(made) == 1
    assert courier.due("job_1") == []
    assert list(outbox()) == made


def test_a_worker_that_dies_in_an_attempt_is_replaced(ledger, courier, endpoint, end, time_passes):
    """Nobody else tries it while its lease lasts; then the delivery is due again."""
    with WebhookReceiver() as receiver:
        endpoint(receiver.url)
        end()
        [delivery_id] = courier.due("job_1")
        assert ledger.deliveries.begin(delivery_id, "127.0.0.1", receiver.url)
        # Here it dies. The pointer comes a second time:
        assert courier.attempt(delivery_id) is None
        assert receiver.received == []
        time_passes()
        deliver(ledger, courier)
        assert len(receiver.received) == 1
    assert ledger.deliveries.read(delivery_id).status == "delivered"


def test_ten_attempts_and_it_is_over(ledger, courier, endpoint, end, outbox, time_passes, redis, settings):
    """Each is on record with its status and the time of the next; the job outlives the wait; then it has failed."""
    with WebhookReceiver(statuses=[500] * 20) as receiver:
        endpoint(receiver.url)
        end()
        lived = []
        for _ in range(12):
            deliver(ledger, courier)
            lived.append(redis.ttl(f"{settings.key_prefix}job:job_1"))
            time_passes()
        assert len(receiver.received) == 10
        assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    [delivery] = ledger.deliveries.page("acme", Wanted(), "", 5).deliveries
    assert (delivery.status, delivery.tries, outbox()) == ("failed", 10, {})
    waits = [attempt["next_attempt_at"] - attempt["started_at"] for attempt in delivery.attempts[:-1]]
    assert waits == [
        pytest.approx(delay, rel=0.11, abs=1) for delay in (5, 300, 1800, 7200, 18e3, 36e3, 50400, 72e3, 86400)
    ]
    assert delivery.attempts[-1]["next_attempt_at"] is None
    assert lived[8] > settings.retention_s + 70_000


def test_a_pointer_that_comes_too_early_waits(ledger, courier, endpoint, end, outbox):
    """A message that was published twice does not spend the next attempt before its time."""
    with WebhookReceiver(statuses=[500]) as receiver:
        endpoint(receiver.url)
        end()
        [delivery_id] = deliver(ledger, courier)
        due = outbox()
        assert courier.attempt(delivery_id) is None
        assert (len(receiver.received), outbox()) == (1, due)


def test_410_disables_the_endpoint(ledger, courier, endpoint, end):
    """Nothing more is sent there until its owner enables it again."""
    with WebhookReceiver(statuses=[410]) as receiver:
        made = endpoint(receiver.url)
        end()
        deliver(ledger, courier)
        end("job_2")
        deliver(ledger, courier)
        assert len(receiver.received) == 1
    kept = ledger.endpoints.read("acme", made.id)
    assert (kept.disabled, kept.disabled_reason) == (True, "it answered 410 Gone")
    assert ledger.deliveries.page("acme", Wanted(status="failed"), "", 5).deliveries


def test_a_job_that_is_gone_is_said_to_be(ledger, courier, endpoint, end):
    """A delivery whose job was forgotten ends, and says why."""
    endpoint("http://127.0.0.1:9/")
    end()
    [delivery_id] = courier.due("job_1")
    assert ledger.forget("job_1", "acme")
    assert courier.attempt(delivery_id) is None
    kept = ledger.deliveries.read(delivery_id)
    assert (kept.status, kept.detail, kept.attempts) == ("failed", "job_1 is gone", ())


@pytest.mark.parametrize("how", ["deleted", "disabled"])
def test_a_receiver_that_is_no_more_gets_nothing(ledger, courier, endpoint, end, how):
    """What waits for an endpoint that was deleted or disabled fails."""
    with WebhookReceiver() as receiver:
        made = endpoint(receiver.url)
        end()
        [delivery_id] = courier.due("job_1")
        if how == "deleted":
            assert ledger.endpoints.delete("acme", made.id)
        else:
            ledger.endpoints.disable("acme", made.id, "")
        courier.attempt(delivery_id)
        assert receiver.received == []
    assert ledger.deliveries.read(delivery_id).detail == f"the endpoint {'was' if how == 'deleted' else 'is'} {how}"


def test_a_slow_host_holds_up_only_its_own(ledger, courier, endpoint, end, outbox):
    """Four attempts at a host at once; the others wait for one of those to end, and other hosts' pass them by."""
    with WebhookReceiver() as slow, WebhookReceiver() as quick:
        endpoint(slow.url)
        for number in range(7):
            end(f"job_{number}")
        ids = [delivery_id for number in range(7) for delivery_id in courier.due(f"job_{number}")]
        taken = [ledger.deliveries.begin(delivery_id, "127.0.0.1", slow.url) for delivery_id in ids]
        assert taken == [True] * 4 + [False] * 3
        assert set(outbox()) == set(ids[:4])
        end("job_quick", webhook=quick.url.replace("127.0.0.1", "localhost"), tenant="rival")
        [other] = courier.due("job_quick")
        assert courier.attempt(other) is None
        assert len(quick.received) == 1
        # One of the four ends: those that wait go on, one by one.
        following = ledger.deliveries.end(ledger.deliveries.read(ids[0]), "it is over")
        seen = []
        while following is not None:
            seen.append(following)
            following = courier.attempt(following)
        assert sorted(seen) == sorted(ids[4:])
        assert len(slow.received) == 3


def test_what_waits_for_a_dead_workers_turn_is_tried(ledger, courier, endpoint, end, time_passes):
    """Those that a slow host's lane held go on when all processes that were at it died."""
    with WebhookReceiver() as receiver:
        endpoint(receiver.url)
        for number in range(7):
            end(f"job_{number}")
            [delivery_id] = courier.due(f"job_{number}")
            ledger.deliveries.begin(delivery_id, "127.0.0.1", receiver.url)
        time_passes()
        assert len(deliver(ledger, courier)) == 7
        assert len(receiver.received) == 7


def test_another_url_frees_the_old_hosts_turn(ledger, courier, endpoint, end, outbox, time_passes):
    """What waits behind a delivery whose endpoint has moved to another host goes on."""
    made = endpoint("http://127.0.0.1:9/")
    ids = []
    for number in range(5):
        end(f"job_{number}")
        ids += courier.due(f"job_{number}")
        ledger.deliveries.begin(ids[-1], "127.0.0.1", made.url)
    assert ids[4] not in outbox()
    time_passes()
    with WebhookReceiver() as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        ledger.endpoints.change("acme", made.id, lambda found: dataclasses.replace(found, url=url))
        assert courier.attempt(ids[0]) is None
        assert len(receiver.received) == 1
    assert ids[4] in outbox()


def test_deliveries_of_a_tenant_are_bounded(make_ledger, end, redis, settings):
    """The oldest that have ended go first, then the oldest, with all that was kept of them."""
    small = make_ledger(webhook_deliveries=3)
    small.endpoints.create("acme", "http://127.0.0.1:9/", ("*",), "", disabled=False)
    made, dropped = [], []
    for number in range(6):
        end(f"job_{number}")
        ids, lost = small.deliveries.fan_out(f"job_{number}", subjects_of(small).read(f"job_{number}"))
        made += ids
        dropped.append(lost)
        if number == 1:
            small.deliveries.end(small.deliveries.read(ids[0]), "over")
    assert dropped == [0, 0, 0, 0, 1, 1]
    kept = [delivery.id for delivery in small.deliveries.page("acme", Wanted(), "", 10).deliveries]
    assert set(kept) == set(made[3:])
    assert {key.rpartition(":")[2] for key in redis.scan_iter(f"{settings.key_prefix}delivery:*")} == set(kept)
    assert set(redis.zrange(f"{settings.key_prefix}outbox", 0, -1)) == set(kept)


def test_the_address_that_was_checked_is_connected_to(monkeypatch):
    """A name that resolves to this machine the second time gains nothing: nobody asks a second time."""
    answers = ["93.184.216.34", "127.0.0.1", "127.0.0.1"]
    connected = []
    real = socket.getaddrinfo

    def resolve(host, port, *rest, **options):
        if host == "rebind.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]
        return real(host, port, *rest, **options)

    def connect(address, *_, **__):
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    sent = Sender(5.0, lambda: False).post("http://rebind.example/", {}, b"{}")
    assert (sent.status, sent.error, connected) == (None, "ConnectionError", ["93.184.216.34"])
    # And where the first answer is one of our own, nothing is connected to.
    sent = Sender(5.0, lambda: False).post("http://rebind.example/", {}, b"{}")
    assert (sent.error, connected) == ("InvalidIPAddress", ["93.184.216.34"])


def test_a_redirect_is_not_followed(courier, ledger, endpoint, end):
    """Where a receiver points to gets nothing: 302 is an attempt that failed."""
    with WebhookReceiver() as inside, WebhookReceiver(statuses=[302], headers={"Location": inside.url}) as receiver:
        endpoint(receiver.url)
        end()
        [delivery_id] = courier.due("job_1")
        courier.attempt(delivery_id)
        assert (len(receiver.received), inside.received) == (1, [])
    [attempt] = ledger.deliveries.read(delivery_id).attempts
    assert attempt["status_code"] == 302


def test_retry_after_puts_the_next_attempt_off(courier, ledger, endpoint, end):
    """A receiver that asks for 90 s gets them, where 5 s were planned."""
    with WebhookReceiver(statuses=[503], headers={"Retry-After": "90"}) as receiver:
        endpoint(receiver.url)
        end()
        [delivery_id] = courier.due("job_1")
        courier.attempt(delivery_id)
    kept = ledger.deliveries.read(delivery_id)
    assert kept.next_ms / 1000 - kept.attempts[0]["started_at"] == pytest.approx(90, abs=3)


def test_the_machines_own_credentials_stay_here(courier, endpoint, end, tmp_path, monkeypatch):
    """A .netrc that knows the host is not read."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with WebhookReceiver() as receiver:
        endpoint(receiver.url)
        end()
        [delivery_id] = courier.due("job_1")
        courier.attempt(delivery_id)
        [(headers, body)] = receiver.received
    assert "Authorization" not in headers
    assert json.loads(body)["data"]["id"] == "job_1"
