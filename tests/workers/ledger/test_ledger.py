"""The ledger's promises, step by step, on a real Redis."""

import json
import time

import gevent
import pytest
import redis as redis_py

from routing.errors import StoreUnavailable
from routing.health import Health
from routing.job import JobStatus, Usage
from routing.store import SnapshotReader
from tests.support.process_node import RedisNode
from tests.workers.conftest import outcome, submission
from workers.ledger.ledger import Ledger
from workers.ledger.record import Accepted, Conflict, Existing, Told
from workers.pipeline import CommandPipeline
from workers.redis_client import connect

LIST = "provider.groq\x06\x163"


def due(redis, settings, job_id="job_1"):
    """Seconds until somebody must look at the job; None when it stands in no schedule."""
    score = redis.zscore(f"{settings.key_prefix}schedule", job_id)
    return None if score is None else score / 1000 - time.time()


def force_due(redis, settings, job_id="job_1"):
    """Make the job's time come."""
    redis.zadd(f"{settings.key_prefix}schedule", {job_id: 0})


def pointers(redis, settings, queue=LIST):
    """The (job, epoch) pointers that wait on a queue, oldest first."""
    messages = [json.loads(text) for text in redis.lrange(f"{settings.key_prefix}{queue}", 0, -1)]
    return [tuple(json.loads(message["body"])[0]) for message in reversed(messages)]


def test_submit_writes_job_schedule_and_pointer_together(ledger, redis, settings):
    """An accepted job has its record, its place in the schedule and its pointer."""
    assert ledger.submit(submission()) == Accepted("job_1")
    assert ledger.read("job_1", "acme").status is JobStatus.QUEUED
    assert 0 < due(redis, settings) <= settings.requeue_check_s
    assert pointers(redis, settings) == [("job_1", 1)]


def test_submit_again_changes_nothing(ledger, redis, settings):
    """A submit repeated after a broken connection accepts the same job, once."""
    ledger.submit(submission())
    assert ledger.submit(submission()) == Accepted("job_1")
    assert pointers(redis, settings) == [("job_1", 1)]


def test_idempotency_key_finds_the_first_job(ledger):
    """The same key and body name the job already accepted, running or ended."""
    ledger.submit(submission(idempotency="acme:k", fingerprint="f"))
    assert ledger.submit(submission("job_2", idempotency="acme:k", fingerprint="f")) == Existing(
        "job_1", JobStatus.QUEUED, None
    )
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome())
    found = ledger.submit(submission("job_3", idempotency="acme:k", fingerprint="f"))
    assert found.ended.answer == b'{"ok": true}'
    assert ledger.read("job_3") is None


def test_idempotency_key_with_another_body_is_a_conflict(ledger):
    """A key is not handed on to another request."""
    ledger.submit(submission(idempotency="acme:k", fingerprint="f"))
    assert ledger.submit(submission("job_2", idempotency="acme:k", fingerprint="g")) == Conflict("job_1")


def test_only_one_run_gets_a_job(ledger):
    """A redelivered pointer finds the job taken."""
    ledger.submit(submission())
    claimed = ledger.claim("job_1", 1)
    assert claimed.request == {"model": "fast"}
    assert claimed.remaining_ms > 59_000
    assert ledger.claim("job_1", 1) is None


def test_claim_of_a_job_past_its_deadline_gets_nothing(make_ledger, redis, settings):
    """A job whose deadline has passed is not paid for; the rescue ends it."""
    ledger = make_ledger()
    ledger.submit(submission(deadline_ms=1))
    time.sleep(0.01)
    assert ledger.claim("job_1", 1) is None
    assert ledger.rescue() == [("expired", "job_1")]
    record = ledger.read("job_1")
    assert (record.status, record.http_status) == (JobStatus.EXPIRED, 504)
    assert json.loads(record.answer)["error"]["code"] == "deadline_exceeded"
    assert due(redis, settings) is None


def test_finish_is_one_step_and_happens_once(ledger, redis, settings):
    """The answer, the usage, the evidence and the waiter's reply come together; a second finish changes nothing."""
    ledger.submit(submission(waiter="api1", webhook="http://receiver/"))
    ledger.claim("job_1", 1)
    assert ledger.finish("job_1", 1, outcome())
    assert not ledger.finish("job_1", 1, outcome(answer='{"other": 1}'))
    prefix = settings.key_prefix
    record = ledger.read("job_1")
    assert record.answer == b'{"ok": true}'
    assert record.attempts[0]["provider"] == "groq"
    assert redis.lrange(f"{prefix}replies:api1", 0, -1) == ['job_1 completed 200\n{"ok": true}']
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert redis.hgetall(f"{prefix}usage:acme:{day}") == {
        "requests": "1",
        "prompt_tokens": "3",
        "completion_tokens": "4",
        "cost_microusd": "7",
    }
    assert redis.hget(f"{prefix}health", "groq/m").startswith("1 1 0 1 4 16 5 25 20 ")
    assert redis.zscore(f"{prefix}outbox", "job_1") is not None
    assert due(redis, settings) is None
    assert 0 < redis.ttl(f"{prefix}job:job_1") <= settings.retention_s


@pytest.mark.parametrize(("status", "kept"), [(JobStatus.COMPLETED, False), (JobStatus.FAILED, True)])
def test_only_a_job_without_an_answer_keeps_its_request(ledger, redis, settings, status, kept):
    """A prompt that was answered is not kept for a day; one that was not can be run again."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome(status=status))
    assert redis.hexists(f"{settings.key_prefix}job:job_1", "request") == kept


def test_a_failed_job_is_no_usage(ledger, redis, settings):
    """Only answers are counted."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome(status=JobStatus.FAILED, http_status=502, usage=Usage(), cost_microusd=0))
    assert redis.keys(f"{settings.key_prefix}usage:*") == []


def test_heartbeat_keeps_leases_and_names_the_lost(ledger, redis, settings):
    """A heartbeat extends what is still held and reports what is not."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    force_due(redis, settings)
    assert ledger.heartbeat([("job_1", 1), ("job_9", 1)]) == ["job_9"]
    assert due(redis, settings) == pytest.approx(settings.lease_s, abs=1)


def test_lapsed_lease_runs_again_and_stays_on_record(ledger, redis, settings):
    """A job whose worker went silent is published again with a new epoch; the lost attempt is kept."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    force_due(redis, settings)
    assert ledger.rescue() == [("lost_worker", "job_1")]
    assert not ledger.finish("job_1", 1, outcome()), "the old run no longer holds the job"
    assert ledger.claim("job_1", 1) is None
    claimed = ledger.claim("job_1", 2)
    assert json.loads(f"[{claimed.attempts}]")[0]["status"] == "lost"


def test_a_job_that_loses_every_worker_is_given_up(ledger, redis, settings):
    """A job that kills its workers is ended before it is paid for without end."""
    ledger.submit(submission())
    for epoch in range(1, 6):
        ledger.claim("job_1", epoch)
        force_due(redis, settings)
        last = ledger.rescue()
    assert last == [("abandoned", "job_1")]
    record = ledger.read("job_1")
    assert (record.status, record.http_status, len(record.attempts)) == (JobStatus.FAILED, 500, 5)


def test_lost_message_is_published_again(ledger, redis, settings):
    """A queued job whose pointer vanished comes back with a new epoch."""
    ledger.submit(submission())
    redis.delete(f"{settings.key_prefix}{LIST}")
    force_due(redis, settings)
    assert ledger.rescue() == [("lost_message", "job_1")]
    assert pointers(redis, settings) == [("job_1", 2)]


def test_waiting_in_a_long_queue_is_not_loss(ledger, redis, settings):
    """A job that legitimately waits behind others is not published again and again."""
    ledger.submit(submission("job_1"))
    ledger.submit(submission("job_2"))
    force_due(redis, settings, "job_2")
    assert ledger.rescue() == []
    assert pointers(redis, settings) == [("job_1", 1), ("job_2", 1)]
    assert due(redis, settings, "job_2") > 0


def test_watermark_tells_loss_from_waiting(ledger, redis, settings):
    """When a younger job of the same queue and tier was claimed, the older one's pointer is lost."""
    ledger.submit(submission("job_1"))
    redis.rpop(f"{settings.key_prefix}{LIST}")
    time.sleep(0.005)
    ledger.submit(submission("job_2"))
    ledger.submit(submission("job_3"))
    ledger.claim("job_2", 1)
    force_due(redis, settings, "job_1")
    assert ledger.rescue() == [("lost_message", "job_1")]


def test_another_tier_is_no_watermark(ledger, redis, settings):
    """Urgent jobs overtake; that says nothing about the pointers they overtook."""
    ledger.submit(submission("job_1", priority=6))
    time.sleep(0.005)
    ledger.submit(submission("job_2", priority=0))
    ledger.claim("job_2", 1)
    force_due(redis, settings, "job_1")
    assert ledger.rescue() == []


def test_hand_over_goes_to_the_next_queue(ledger, redis, settings):
    """Failover puts the job on the next candidate's queue with its attempts so far."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    assert ledger.hand_over("job_1", 1, 1, Told('{"duration":1}', "groq/m 0 1 0"))
    assert pointers(redis, settings, "provider.other\x06\x163") == [("job_1", 2)]
    claimed = ledger.claim("job_1", 2)
    assert (claimed.candidate, claimed.attempts) == (1, '{"duration":1}')
    assert redis.hget(f"{settings.key_prefix}health", "groq/m").startswith("1 0 1 0 0 ")


def test_deferred_job_waits_without_a_message(ledger, redis, settings):
    """A deferred job has no pointer until its time has come; then the rescue publishes it."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    redis.delete(f"{settings.key_prefix}{LIST}")
    assert ledger.defer("job_1", 1, 0, 60_000, Told())
    assert (ledger.rescue(), pointers(redis, settings)) == ([], [])
    assert due(redis, settings) == pytest.approx(60, abs=1)
    force_due(redis, settings)
    assert ledger.rescue() == [("deferred", "job_1")]
    claimed = ledger.claim("job_1", 3)
    assert claimed.defers == 1


@pytest.mark.parametrize("claimed", [False, True])
def test_cancel_ends_a_job_in_any_state(ledger, redis, settings, claimed):
    """A cancelled job answers its waiter, leaves the schedule and cannot be claimed or finished."""
    ledger.submit(submission(waiter="api1"))
    if claimed:
        ledger.claim("job_1", 1)
    assert ledger.cancel("job_1", "acme") == (JobStatus.CANCELLED, True)
    assert ledger.cancel("job_1", "acme") == (JobStatus.CANCELLED, False)
    assert ledger.claim("job_1", 1) is None
    assert not ledger.finish("job_1", 1, outcome())
    assert redis.lindex(f"{settings.key_prefix}replies:api1", 0).startswith("job_1 cancelled 409\n")
    assert ledger.heartbeat([("job_1", 1)]) == ["job_1"]
    assert due(redis, settings) is None


def test_another_tenants_job_does_not_exist(ledger):
    """A tenant can neither read, attach to nor cancel another's job."""
    ledger.submit(submission())
    assert ledger.read("job_1", "rival") is None
    assert ledger.attach("job_1", "rival", "api") is None
    assert ledger.cancel("job_1", "rival") is None
    assert ledger.read("job_1", "acme").status is JobStatus.QUEUED


def test_everyone_who_waits_is_told(ledger, redis, settings):
    """A second API process that attaches is told as well, and one that attaches late gets the answer at once."""
    ledger.submit(submission(waiter="api1"))
    assert ledger.attach("job_1", "acme", "api2") == (JobStatus.QUEUED, None)
    ledger.attach("job_1", "acme", "api2")
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome())
    for address in ("api1", "api2"):
        assert redis.llen(f"{settings.key_prefix}replies:{address}") == 1
    status, ended = ledger.attach("job_1", "acme", "api3")
    assert (status, ended.answer) == (JobStatus.COMPLETED, b'{"ok": true}')


def test_webhook_stays_in_the_outbox_until_it_is_dealt_with(ledger, redis, settings):
    """A due entry is handed out, and again when nobody reports back; reporting ends it."""
    outbox = f"{settings.key_prefix}outbox"
    ledger.submit(submission(webhook="http://receiver/"))
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome())
    assert ledger.rescue() == [("webhook", "job_1")]
    assert ledger.rescue() == []
    redis.zadd(outbox, {"job_1": 0})
    assert ledger.rescue() == [("webhook", "job_1")]
    ledger.deliveries.drop("job_1")
    assert redis.zscore(outbox, "job_1") is None


def test_concurrent_claims_give_the_job_to_one(ledger):
    """Of many workers that hold the same pointer, one gets the job."""
    ledger.submit(submission())
    claims = [gevent.spawn(ledger.claim, "job_1", 1) for _ in range(50)]
    gevent.joinall(claims)
    assert sum(claim.value is not None for claim in claims) == 1


def test_health_fades(ledger, redis, settings):
    """Old evidence counts half after one half-life."""
    health = f"{settings.key_prefix}health"
    before = int((time.time() - 300) * 1000)
    redis.hset(health, "groq/m", f"8 8 0 4 40 400 80 1600 800 {before} {before}")
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome(evidence="groq/m 0 9 0"))
    found = Health.parse(redis.hget(health, "groq/m"))
    assert (found.calls, found.successes) == (pytest.approx(5, rel=0.01), pytest.approx(4, rel=0.01))
    assert (found.speed.n, found.speed.mean_ms, found.consecutive_failures) == (4, 20, 1)


def test_what_the_ledger_queues_and_claims_is_what_routing_reads(ledger, redis, settings):
    """Jobs that stand in a provider's queue are a wait there, at their step and behind it, until they are claimed."""
    queues = {"groq": "provider.groq"}
    with redis_py.Redis.from_url(settings.redis_url) as client:
        reader = SnapshotReader(client, settings.key_prefix, queues=lambda: queues)
        for number, priority in enumerate((3, 3, 6, 0)):
            ledger.submit(submission(f"job_{number}", priority=priority))
        redis.delete(f"{settings.key_prefix}provider.groq")
        assert reader.refresh()
        ledger.claim("job_0", 1)
        assert reader.refresh()
        urgent, usual, flexible, batch = reader.current.waits_ms["groq"]
    assert redis.hgetall(f"{settings.key_prefix}claims") == {"provider.groq": "1"}
    assert (urgent, flexible) == (0, batch)
    assert flexible == pytest.approx(1.5 * usual)


def test_idle_deployments_are_forgotten(ledger, redis, settings):
    """Health records do not grow with every name anybody ever tried."""
    health = f"{settings.key_prefix}health"
    redis.hset(health, mapping={"old/m": "1 1 1 1 0 1", "new/m": f"1 1 1 1 0 {int(time.time() * 1000)}"})
    assert ledger.provider_records.forget_idle_deployments() == 1
    assert redis.hkeys(health) == ["new/m"]


def test_a_full_redis_refuses_new_jobs_and_keeps_paid_answers(settings):
    """Out of memory, a submit is refused whole, and a finish still stores its answer."""
    node = RedisNode()
    try:
        node.ready()
        client = connect(node.url)
        ledger = Ledger(CommandPipeline(client), settings)
        ledger.submit(submission("job_1"))
        ledger.claim("job_1", 1)
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            ledger.submit(submission("job_2"))
        assert ledger.finish("job_1", 1, outcome())
        assert ledger.read("job_2") is None
        client.close()
    finally:
        node.teardown()


def test_an_absent_redis_is_an_error_within_two_seconds(settings):
    """A Redis that is away is told apart quickly, and a step works again when it is back."""
    node = RedisNode()
    try:
        node.ready()
        client = connect(node.url)
        ledger = Ledger(CommandPipeline(client), settings)
        ledger.submit(submission("job_1"))
        node.kill()
        began = time.monotonic()
        # What a tenant has used is not known then, and nobody is let through for it.
        limited = submission("job_2", limits="tenant:acme 5 - - - - - - - 900 - 0.8", expected_microusd=7)
        with pytest.raises(StoreUnavailable):
            ledger.submit(limited)
        assert time.monotonic() - began < 2
        node.restart()
        assert ledger.read("job_1").status is JobStatus.QUEUED
        assert ledger.submit(limited) == Accepted("job_2")
        client.close()
    finally:
        node.teardown()
