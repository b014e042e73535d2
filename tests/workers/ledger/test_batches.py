"""The steps of a batch: what each changes, and that each may be repeated."""

import time

import pytest

from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from workers.ledger.batch_lines import Fed, Held, LineOrder, LineRefusal, Place, StoredPart
from workers.ledger.batch_record import BatchOrder, BatchStatus
from workers.ledger.ledger import AFRESH
from workers.ledger.record import Told

START = Place(0, 0)


def order(batch_id="batch_1", tenant="acme", **changes):
    fields = {"endpoint": "/v1/chat/completions", "input_file": "file-1", "window": "24h", "window_s": 86_400}
    return BatchOrder(batch_id, tenant, **{**fields, **changes})


def placed(*lines, start=0):
    """The lines with the places after them, of ten bytes each."""
    return [(line, Place(number, 10 * number)) for number, line in enumerate(lines, start + 1)]


def line(number, provider="groq"):
    return LineOrder(f"line-{number}", provider, 0, submission(f"job_{number}", priority=9))


@pytest.fixture
def batches(ledger):
    return ledger.batches


@pytest.fixture
def held(batches):
    """A batch whose lines may be fed."""
    batches.create(order(), 10)
    (held,) = batches.take(10)
    batches.mark(held, BatchStatus.IN_PROGRESS, total=3, in_progress_at="@now")
    return held


def finish(ledger, job_id, **changes):
    claimed = ledger.claim(job_id, 1)
    assert claimed is not None
    assert ledger.finish(job_id, 1, outcome(**changes))


def test_a_created_batch_is_validating_and_found(batches):
    """It is read, listed and taken; nobody else's tenant sees it."""
    assert batches.create(order(metadata={"a": "b"}), 10) == ("accepted", "batch_1")
    batch = batches.read("batch_1", "acme")
    assert (batch.status, batch.total, batch.metadata) == (BatchStatus.VALIDATING, 0, {"a": "b"})
    assert batch.deadline_at - batch.created_at == pytest.approx(86_400)
    assert batches.read("batch_1", "rival") is None
    assert [found.id for found in batches.listed("acme", None, 5)[0]] == ["batch_1"]
    assert batches.listed("rival", None, 5) == ([], False)
    assert batches.create(order(), 10) == ("accepted", "batch_1")


def test_a_tenant_has_a_bounded_number_of_unfinished_batches(batches):
    """One more than allowed is refused; another tenant's is not."""
    batches.create(order("batch_1"), 1)
    assert batches.create(order("batch_2"), 1) == ("full", "1")
    assert batches.read("batch_2") is None
    assert batches.create(order("batch_3", "rival"), 1) == ("accepted", "batch_3")


def test_an_idempotency_key_makes_one_batch(batches):
    """The same key and body find the first batch, another body is a conflict; keys are a tenant's own."""
    batches.create(order("batch_1", idempotency="k", fingerprint="f"), 10)
    assert batches.create(order("batch_2", idempotency="k", fingerprint="f"), 10) == ("existing", "batch_1")
    assert batches.create(order("batch_3", idempotency="k", fingerprint="g"), 10) == ("conflict", "batch_1")
    assert batches.create(order("batch_4", "rival", idempotency="k", fingerprint="g"), 10)[0] == "accepted"


def test_a_batch_is_held_by_one_worker_until_its_lease_ends(batches, redis, settings):
    """Nobody takes what is held; when the lease is over another does, and the first one's steps change nothing."""
    batches.create(order(), 10)
    (first,) = batches.take(10)
    assert batches.take(10) == []
    redis.zadd(f"{settings.key_prefix}batch_schedule", {"batch_1": 0})
    (second,) = batches.take(10)
    assert second == Held("batch_1", first.epoch + 1)
    assert batches.mark(first, BatchStatus.IN_PROGRESS) is None
    assert batches.look(first, 0, 10) is None
    assert not batches.feed(first, START, placed(line(1)))
    assert not batches.stored(first, StoredPart(0, "a", 0))
    assert not batches.end(first, BatchStatus.COMPLETED, {})
    assert batches.mark(second, BatchStatus.IN_PROGRESS) is BatchStatus.IN_PROGRESS


def test_a_released_batch_is_taken_at_once(batches, held):
    """A worker that stops gives its batches back."""
    batches.release([held])
    assert [again.id for again in batches.take(10)] == [held.id]


def test_tenants_take_turns_and_deadlines_order_a_tenants_batches(batches):
    """Of each tenant the earliest deadline goes first; a tenant with many batches does not go before one with few."""
    for number, window_s in enumerate((300, 100, 200)):
        batches.create(order(f"batch_a{number}", "acme", window_s=window_s), 10)
    batches.create(order("batch_r", "rival"), 10)
    assert [held.id for held in batches.take(3)] == ["batch_a1", "batch_r", "batch_a2"]
    assert [held.id for held in batches.take(3, sated=["acme"])] == []
    assert [held.id for held in batches.take(3)] == ["batch_a0"]


def test_lines_become_jobs_in_the_step_that_moves_the_place(ledger, batches, held, redis, settings):
    """Fed lines are queued jobs; the same step again accepts nothing twice; another place is refused."""
    for _ in range(2):
        assert batches.feed(held, START, placed(line(1), line(2, "other"))) == Fed(2)
    assert not batches.feed(held, Place(1, 11), placed(line(3)))
    assert redis.llen(f"{settings.key_prefix}provider.groq\x06\x169") == 2
    assert redis.zcard(f"{settings.key_prefix}schedule") == 2
    assert batches.flight() == {("acme", "groq"): 1, ("acme", "other"): 1}
    batch = batches.read(held.id)
    assert (batch.cursor, batch.offset) == (2, 20)
    assert ledger.read("job_1").status is JobStatus.QUEUED
    assert ledger.read("job_1").deadline_at == pytest.approx(batch.deadline_at, abs=0.01)


def test_ended_lines_are_counted_at_once_and_fetched_until_they_are_stored(ledger, batches, held, redis, settings):
    """Counts are live; answers stay until a part with them is stored, and go then; the part counts once."""
    batches.feed(held, START, placed(line(1), line(2), line(3)))
    finish(ledger, "job_1")
    finish(ledger, "job_2", status=JobStatus.FAILED, http_status=502, answer='{"error": {}}')
    batch = batches.read(held.id)
    assert (batch.completed, batch.failed) == (1, 1)
    look = batches.look(held, 0, 10)
    assert look.in_flight == 1
    assert [(ended.custom_id, ended.status.value) for ended in look.ended] == [
        ("line-1", "completed"), ("line-2", "failed"),
    ]  # fmt: skip
    assert batches.look(held, 1, 10).ended == look.ended[1:]
    assert redis.ttl(f"{settings.key_prefix}job:job_1") == -1
    part = StoredPart(0, "000000-1", 2, usage=Usage(3, 4))
    assert batches.stored(held, part)
    assert batches.stored(held, part)
    assert batches.read(held.id).usage == Usage(3, 4)
    assert batches.parts(held.id) == ["000000-1"]
    assert ledger.read("job_1") is None
    assert redis.ttl(f"{settings.key_prefix}job:job_2") > 0
    assert batches.look(held, 0, 10).ended == ()
    assert not batches.stored(held, StoredPart(0, "000000-2", 0))


def test_a_line_that_cannot_be_accepted_ends_at_once(ledger, batches, held):
    """It is a failed job with its error, and counted; nothing is in flight."""
    refused = LineRefusal("job_9", "line-9", 404, '{"error": {"code": "model_not_found"}}', "{}", "gone")
    assert batches.feed(held, START, placed(refused))
    look = batches.look(held, 0, 10)
    assert (look.in_flight, look.ended[0].http_status) == (0, 404)
    assert ledger.read("job_9").status is JobStatus.FAILED
    assert batches.read(held.id).failed == 1


def test_a_cancelled_batch_takes_no_more_lines_and_drops_those_not_begun(ledger, batches, held):
    """What runs goes on; what is queued is cancelled; nothing is fed any more, and its status stays."""
    batches.feed(held, START, placed(line(1), line(2)))
    assert ledger.claim("job_1", 1) is not None
    assert batches.cancel(held.id, "rival") is None
    assert batches.cancel(held.id, "acme") == (BatchStatus.CANCELLING, True)
    assert batches.cancel(held.id, "acme") == (BatchStatus.CANCELLING, False)
    assert not batches.feed(held, Place(2, 20), placed(line(3), start=2))
    assert batches.drop(held)
    assert ledger.read("job_2").status is JobStatus.CANCELLED
    assert ledger.read("job_1").status is JobStatus.IN_PROGRESS
    assert batches.mark(held, BatchStatus.FINALIZING) is BatchStatus.CANCELLING
    assert batches.look(held, 0, 10).in_flight == 1


def test_an_ended_batch_stays_scheduled_until_it_is_left(batches, held, redis, settings):
    """Whoever dies before it has cleaned up is followed by another; then nobody looks again."""
    assert batches.end(held, BatchStatus.COMPLETED, {"output_file": "file-2"})
    assert not batches.end(held, BatchStatus.FAILED, {})
    batch = batches.read(held.id)
    assert (batch.status, batch.output_file) == (BatchStatus.COMPLETED, "file-2")
    assert batch.as_object()["completed_at"] == int(batch.ended_at)
    redis.zadd(f"{settings.key_prefix}batch_schedule", {held.id: 0})
    (again,) = batches.take(1)
    batches.leave(again)
    redis.zadd(f"{settings.key_prefix}batch_schedule", {held.id: 0}, xx=True)
    assert batches.take(1) == []
    assert batches.create(order("batch_2"), 1) == ("accepted", "batch_2")


def test_a_line_that_its_deadline_ends_is_counted(ledger):
    """The rescue expires lines in flight as other jobs: their batch hears of it."""
    batches = ledger.batches
    batches.create(order(window_s=0.001), 10)
    (held,) = batches.take(1)
    batches.mark(held, BatchStatus.IN_PROGRESS)
    assert batches.feed(held, START, placed(line(1)))
    ledger.rescue()
    look = batches.look(held, 0, 10)
    assert [ended.status for ended in look.ended] == [JobStatus.EXPIRED]
    assert batches.flight() == {}


def test_pages_of_batches_neither_skip_nor_repeat(batches, redis, settings):
    """Page after page, the newest first, every batch once."""
    for number in range(7):
        batches.create(order(f"batch_{number}"), 10)
        redis.zadd(f"{settings.key_prefix}batches:acme", {f"batch_{number}": number})
    seen, after = [], None
    while True:
        page, more = batches.listed("acme", after, 3)
        seen += [batch.id for batch in page]
        after = page[-1].id
        if not more:
            break
    assert seen == [f"batch_{number}" for number in reversed(range(7))]
    assert batches.listed("acme", "batch_none", 3) is None


def test_lines_that_have_waited_grow_more_urgent(batches, held, ledger, redis, settings):
    """A line in a queue goes to the list of its new priority, its old pointer is stale; one that runs keeps its run."""
    batches.feed(held, START, placed(line(1), line(2)))
    running = ledger.claim("job_2", 1)
    assert batches.age(held, 6)
    assert redis.llen(f"{settings.key_prefix}provider.groq\x06\x166") == 1
    assert ledger.claim("job_1", 1) is None
    assert ledger.claim("job_1", 2) is not None
    assert ledger.hand_over("job_2", 1, 0, Told())
    assert running is not None
    assert redis.llen(f"{settings.key_prefix}provider.groq\x06\x166") == 2


def test_ageing_again_changes_nothing(batches, held, redis, settings):
    """Only what is less urgent is moved, and only by who holds the batch."""
    batches.feed(held, START, placed(line(1)))
    assert batches.age(held, 6)
    assert batches.age(held, 6)
    assert redis.llen(f"{settings.key_prefix}provider.groq\x06\x166") == 1
    assert not batches.age(Held(held.id, held.epoch + 1), 3)


def test_a_line_that_begins_again_may_go_everywhere(batches, held, ledger):
    """Put off afresh it stands at its plan's first candidate, and counts the round."""
    batches.feed(held, START, placed(line(1)))
    claimed = ledger.claim("job_1", 1)
    assert claimed.rounds == 0
    assert ledger.defer("job_1", 1, AFRESH, 1, Told())
    time.sleep(0.01)
    assert ledger.rescue() == [("deferred", "job_1")]
    again = ledger.claim("job_1", 3)
    assert (again.rounds, again.candidate, again.reached, again.limited) == (1, 0, 0, ())
