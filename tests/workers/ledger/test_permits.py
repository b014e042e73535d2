"""Permits, step by step, on a real Redis. Times are moved by writing older ones."""

import time
from types import SimpleNamespace

import pytest

from config.provider import ProviderConfig, ProviderLimits
from routing.job import JobStatus, Usage
from routing.permits import Gauge, Permits, demand, longest_wait_s
from tests.workers.conftest import outcome, submission
from workers.ledger.ledger import Ledger
from workers.ledger.permits import configured_words, learnt_words
from workers.ledger.record import Room, Told

GROQ, OTHER = "groq/m", "other/m"
MINUTE_MS = 60_000


def configured(**limits):
    """The words of an operator's limits on groq."""
    row = ProviderConfig("groq", "groq", "https://groq.example", limits=ProviderLimits(**limits))
    return configured_words([row])


def learnt(remaining, limit=100, name="rpm", gate_ms=0, deployment=GROQ):
    return learnt_words(deployment, [Gauge(name, limit, remaining, MINUTE_MS)], gate_ms)


def learnt_by_day(remaining):
    """A limit of which nothing to speak of comes back while a test runs."""
    return learnt_words(GROQ, [Gauge("rpd", 100, remaining, 24 * 60 * MINUTE_MS)])


@pytest.fixture
def world(pipeline, settings, redis):
    """A ledger whose configured limits can be set, and what tests do with it."""
    limits = [""]
    ledger = Ledger(pipeline, settings, limits=lambda: limits[0])
    key = f"{settings.key_prefix}permits"

    def submit(job, **changes):
        ledger.submit(submission(job, **{"deadline_ms": 600_000, **changes}))

    def claim(job, **changes):
        submit(job, **changes)
        return ledger.claim(job, 1)

    def age(seconds):
        """Move what is known of limits into the past."""
        for name, text in redis.hgetall(key).items():
            words = text.split()
            moved = [str(int(words[0]) - seconds * 1000), words[1]]
            for start in range(2, len(words), 5):
                moved += [*words[start : start + 4], str(int(words[start + 4]) - seconds * 1000)]
            redis.hset(key, name, " ".join(moved))

    def field(job, name):
        return redis.hget(f"{settings.key_prefix}job:{job}", name)

    def queued(queue="provider.groq", priority=3):
        return redis.llen(f"{settings.key_prefix}{queue}\x06\x16{priority}")

    def permits(name):
        return Permits.parse(redis.hget(key, name))

    def configure(**settings):
        limits[0] = configured(**settings)

    return SimpleNamespace(**locals())


def only_groq(world):
    """Keep jobs from going elsewhere: the other deployment has nothing left for an hour."""
    now = int(time.time() * 1000)
    world.redis.hset(world.key, OTHER, f"{now + 3_600_000} {now} rpm 60 60000 0 {now}")


def test_without_limits_nothing_is_written(world):
    """A provider of which no limit is known costs no record."""
    assert world.claim("job_1") is not None
    assert world.redis.exists(world.key) == 0


def test_a_configured_limit_lets_as_many_through_as_it_says(world):
    """Of 12 jobs 9 have a permit (98 % of ten); the others wait, in the schedule, and no attempt is spent."""
    only_groq(world)
    world.configure(requests_per_minute=10)
    claims = [world.claim(f"job_{number}") for number in range(12)]
    assert [claimed is not None for claimed in claims] == [True] * 9 + [False] * 3
    for job in ("job_9", "job_10", "job_11"):
        assert world.field(job, "status") == "queued"
        assert world.field(job, "deferred") == "parked"
        assert world.redis.zscore(f"{world.settings.key_prefix}schedule", job) is not None


def test_a_job_without_a_permit_goes_to_who_has_room(world):
    """Another candidate with room gets the job at once; the first is remembered as one it can come back to."""
    world.configure(requests_per_minute=1)
    assert world.claim("job_1").detour is None
    second = world.claim("job_2")
    assert (second.detour.place, second.detour.wait_s, second.limited) == (1, 0.0, (0,))
    assert world.ledger.hand_over("job_2", 1, 1, Told())
    third = world.ledger.claim("job_2", 2)
    assert (third.candidate, third.detour, third.reached, third.limited) == (1, None, 1, (0,))


def test_permits_come_back_evenly(world):
    """After a tenth of the period about a tenth of the limit is there again, and no more than the limit ever."""
    only_groq(world)
    world.configure(requests_per_minute=100)
    taken = 0
    while world.claim(f"job_{taken}") is not None:
        taken += 1
    # What comes back meanwhile is 1.65 a second.
    assert 98 <= taken <= 110
    world.age(6)
    assert world.ledger.release()[0] == 1
    assert [world.claim(f"again_{number}") is not None for number in range(15)].count(True) in range(8, 12)
    world.age(600)
    world.ledger.release()
    assert [world.claim(f"full_{number}") is not None for number in range(120)].count(True) in range(90, 103)


def test_parked_jobs_are_let_through_by_priority_then_age(world):
    """Who comes when there is room is decided by service tier, then by who was accepted first."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    assert world.claim("first") is not None
    for job, priority in (("flex", 6), ("old", 3), ("young", 3), ("urgent", 0)):
        assert world.claim(job, priority=priority) is None
        # No two of the same age.
        time.sleep(0.002)
    order = []
    for _ in range(4):
        world.age(61)
        assert world.ledger.release()[0] == 1
        for job in ("flex", "old", "young", "urgent"):
            if job not in order and world.ledger.claim(job, 2) is not None:
                order.append(job)
    assert order == ["urgent", "old", "young", "flex"]
    assert world.ledger.release() == (0, None)


def test_who_comes_later_does_not_go_first(world):
    """Where jobs are parked, a new one waits behind them even when there is room; a more urgent one does not."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    assert world.claim("first") is not None
    assert world.claim("parked") is None
    # No two of the same age.
    time.sleep(0.002)
    world.age(61)
    assert world.claim("later") is None
    assert world.claim("urgent", priority=0) is not None


def test_let_through_means_a_permit_in_hand(world):
    """A job let through is not asked for a permit again, and its wait counts as time in the queue."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    world.claim("first")
    assert world.claim("second") is None
    world.redis.hincrby(f"{world.settings.key_prefix}job:second", "queued", -4000)
    world.age(61)
    assert world.ledger.release()[0] == 1
    assert world.permits("groq").buckets[0].level < 1
    claimed = world.ledger.claim("second", 2)
    assert claimed is not None
    assert 4000 <= claimed.queue_ms < 6000
    assert world.permits("groq").buckets[0].level >= 0


def test_what_an_answer_tells_is_kept(world):
    """The limit of a deployment is learnt from its answers; what is left is never taken for more than they say."""
    assert world.claim("job_1") is not None
    assert world.ledger.finish("job_1", 1, outcome(limits=learnt_by_day(2)))
    only_groq(world)
    claims = [world.claim(f"more_{number}", deadline_ms=10**9) for number in range(3)]
    assert [claimed is not None for claimed in claims] == [True, True, False]
    held = world.permits(GROQ).buckets[0]
    assert (held.name, held.limit, held.period_s) == ("rpd", 100, 86_400)


def test_a_gate_holds_everybody_back_until_it_opens(world):
    """After a Retry-After nothing is sent to the deployment before that time, whatever the buckets hold."""
    only_groq(world)
    world.claim("job_1")
    found = world.ledger.find_room("job_1", 1, 0, Told(limits=learnt(50, gate_ms=20_000)))
    assert found[0] is Room.PARKED
    assert 19 < found[1] <= 20
    assert world.claim("job_2") is None
    assert world.ledger.release()[0] == 0
    world.age(21)
    assert world.ledger.release() == (2, None)


def test_a_rate_limited_job_goes_to_who_has_room(world):
    """The other candidate gets it at once, with the attempt on record."""
    world.claim("job_1")
    told = Told('{"duration":1}', "", learnt(0))
    assert world.ledger.find_room("job_1", 1, 0, told) == (Room.MOVED, 0.0)
    assert (world.queued("provider.other"), world.field("job_1", "attempts")) == (1, '{"duration":1}')
    assert world.ledger.claim("job_1", 2).candidate == 1


def test_without_room_it_waits_for_the_soonest(world):
    """When all are full it waits where there is room first, also where it was before."""
    world.claim("job_1")
    assert world.ledger.find_room("job_1", 1, 0, Told(limits=learnt(0, gate_ms=30_000)))[0] is Room.MOVED
    assert world.ledger.claim("job_1", 2).candidate == 1
    room, wait_s = world.ledger.find_room("job_1", 2, 0, Told(limits=learnt(0, gate_ms=50_000, deployment=OTHER)))
    assert room is Room.PARKED
    assert 29 < wait_s <= 30
    assert world.field("job_1", "deployment") == GROQ
    world.age(31)
    assert world.ledger.release()[0] == 1
    assert world.ledger.claim("job_1", 4).candidate == 0


def test_nobody_before_the_deadline_is_told_at_once(world):
    """The run keeps the job to end it, nothing but the limits is recorded, and a claim is told the same."""
    only_groq(world)
    world.claim("job_1", deadline_ms=60_000)
    room, wait_s = world.ledger.find_room("job_1", 1, 0, Told('{"duration":1}', "", learnt(0, gate_ms=600_000)))
    assert (room, round(wait_s)) == (Room.FULL, 600)
    assert world.field("job_1", "attempts") is None
    assert world.ledger.finish("job_1", 1, outcome(status=JobStatus.FAILED, http_status=429))
    told = world.claim("job_2", deadline_ms=60_000).detour
    assert (told.full, round(told.wait_s)) == (True, 600)


def test_a_long_queue_alone_ends_nobody(world):
    """Those before a job may go away, so it waits, although by their number its turn would come after its deadline."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    claims = [world.claim(f"job_{number}", deadline_ms=90_000) for number in range(5)]
    assert [claimed is not None for claimed in claims] == [True] + [False] * 4


def test_a_wait_of_its_own_puts_the_job_off(world):
    """Refused for crowding, nobody else is held back: the job alone waits."""
    only_groq(world)
    world.claim("job_1")
    assert world.ledger.find_room("job_1", 1, 2000, Told()) == (Room.DEFERRED, 2.0)
    assert world.claim("job_2") is not None


def test_a_crowded_worker_sends_jobs_on(world):
    """While a worker has its hands full, who is still to come gets the job, once; who failed leads back to it."""
    world.submit("job_1")
    assert world.ledger.claim("job_1", 1, crowded=True) is None
    assert (world.queued("provider.other"), world.field("job_1", "status")) == (1, "queued")
    there = world.ledger.claim("job_1", 2, crowded=True)
    assert (there.candidate, there.detour, there.limited) == (1, None, (0,)), "all are crowded: it waits there"


def test_a_crowded_worker_keeps_what_nobody_else_can_take(world):
    """Without a free candidate to come the job stays, with its permit."""
    only_groq(world)
    world.configure(requests_per_minute=10)
    world.submit("job_1")
    assert world.ledger.claim("job_1", 1, crowded=True).detour is None
    assert world.permits("groq").buckets[0].level < 9


def test_a_permit_is_of_one_candidate_only(world):
    """A job that was let through and then goes elsewhere needs a permit there."""
    world.configure(requests_per_minute=1)
    only_groq(world)
    world.claim("first")
    assert world.claim("second") is None
    world.age(61)
    assert world.ledger.release()[0] == 1
    world.redis.delete(world.key)
    now = int(time.time() * 1000)
    world.redis.hset(world.key, OTHER, f"0 {now} rpm 60 60000 5 {now}")
    assert world.ledger.claim("second", 2, crowded=True) is None
    assert world.field("second", "permit") is None
    assert world.ledger.claim("second", 3).candidate == 1
    assert world.permits(OTHER).buckets[0].level < 4.5


def test_a_parked_job_that_ends_is_forgotten_there(world):
    """A job cancelled while it is parked takes nobody's permit."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    world.claim("first")
    assert world.claim("second") is None
    assert world.claim("third") is None
    world.ledger.cancel("second", "acme")
    world.age(61)
    assert world.ledger.release()[0] == 1
    assert world.ledger.claim("third", 2) is not None
    assert world.ledger.release() == (0, None)


def test_a_parked_job_past_its_deadline_is_a_429(world):
    """Only the deadline ends the wait for capacity, and then the answer says what was missing."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    world.claim("first")
    assert world.claim("second") is None
    world.redis.hset(f"{world.settings.key_prefix}job:second", "deadline", 1)
    world.redis.zadd(f"{world.settings.key_prefix}schedule", {"second": 0})
    assert world.ledger.rescue() == [("expired", "second")]
    record = world.ledger.read("second")
    assert (record.status, record.http_status) == (JobStatus.EXPIRED, 429)
    assert b'"code": "rate_limit_exceeded"' in record.answer


def test_should_nobody_release_the_rescue_does(world):
    """A parked job whose time has come is published again, asks for a permit, and is parked again."""
    only_groq(world)
    world.configure(requests_per_minute=1)
    world.claim("first")
    assert world.claim("second") is None
    world.redis.zadd(f"{world.settings.key_prefix}schedule", {"second": 0})
    assert world.ledger.rescue() == [("deferred", "second")]
    assert world.ledger.claim("second", 2) is None
    world.age(61)
    assert world.ledger.release() == (1, None), "the older entry does not count"


def test_tokens_are_counted_by_estimate(world):
    """A limit by tokens takes a job's estimate; a job over the whole limit goes when the bucket is full."""
    only_groq(world)
    world.configure(tokens_per_minute=1000)
    assert world.claim("job_1", prompt_tokens=500, completion_tokens=200) is not None
    assert world.claim("job_2", prompt_tokens=250, completion_tokens=100) is None
    assert world.claim("small", priority=0, prompt_tokens=100, completion_tokens=100) is not None
    world.age(120)
    assert world.ledger.release()[0] == 1
    world.age(120)
    assert world.claim("huge", prompt_tokens=5000) is not None
    assert world.claim("next", prompt_tokens=1) is None


def test_tokens_are_settled_by_what_was_used(world):
    """An answer shorter than estimated gives the difference back; a longer one takes it."""
    only_groq(world)
    world.configure(tokens_per_minute=1000)
    for job, prompt, completion, level in (("short", 10, 30, 940), ("long", 400, 400, 140)):
        world.claim(job, prompt_tokens=300, completion_tokens=256)
        usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
        assert world.ledger.finish(job, 1, outcome(usage=usage))
        assert world.permits("groq").buckets[0].level == pytest.approx(level, abs=25)


def test_a_limit_by_the_day_may_turn_out_to_be_by_the_minute(world):
    """What headers now tell of replaces what they were taken for before."""
    running = [world.claim(f"job_{number}") for number in range(2)]
    assert world.ledger.finish(running[0].id, 1, outcome(limits=learnt(5, name="rpd")))
    assert world.ledger.finish(running[1].id, 1, outcome(limits=learnt(50)))
    assert [bucket.name for bucket in world.permits(GROQ).buckets] == ["rpm"]


def test_an_edited_limit_counts_from_then_on(world):
    """Raising the limit lets more through at once; taking it away lets all through."""
    only_groq(world)
    world.configure(requests_per_minute=2)
    assert [world.claim(f"job_{number}") is not None for number in range(3)] == [True, False, False]
    world.configure(requests_per_minute=10)
    assert world.ledger.release()[0] == 2
    world.configure()
    assert [world.claim(f"more_{number}") is not None for number in range(20)] == [True] * 20


def test_a_malformed_record_is_unknown(world):
    """Nobody is held back by a record that cannot be read."""
    for text in ("", "nonsense", "0 0 rpm x 60000 1 1", "0 0 rpm 1"):
        world.redis.hset(world.key, GROQ, text)
        assert world.claim(f"job_{text}") is not None


def test_a_limit_that_was_raised_holds_nobody_up(world):
    """A limit that is told to be wide is forgotten."""
    only_groq(world)
    running = world.claim("running")
    world.claim("job_1")
    world.ledger.finish("job_1", 1, outcome(limits=learnt_by_day(0)))
    assert world.claim("job_2", deadline_ms=10**9) is None
    wide = learnt_words(GROQ, [Gauge("rpm", 0, 10**9, MINUTE_MS)])
    assert world.ledger.finish(running.id, 1, outcome(limits=wide))
    assert world.redis.hget(world.key, GROQ) is None
    assert world.ledger.release() == (1, None)


def test_what_no_answer_tells_of_for_an_hour_is_not_believed(world):
    """A provider that told of its limit only in refusals may have raised it since."""
    only_groq(world)
    now = int(time.time() * 1000)
    world.redis.hset(world.key, GROQ, f"0 {now} rpm 60 60000 -9 {now}")
    assert world.claim("job_1") is None
    assert world.ledger.release()[0] == 0
    world.redis.hset(world.key, GROQ, f"0 {now - 3_700_000} rpm 60 60000 -9 {now}")
    assert world.ledger.release()[0] == 1


def test_what_nobody_used_for_a_day_is_forgotten(world):
    """The record of a deployment's limits goes when it says nothing any more."""
    world.claim("job_1")
    world.ledger.finish("job_1", 1, outcome(limits=learnt(5), evidence=""))
    assert world.ledger.provider_records.forget_idle_deployments() == 0
    world.age(86_500)
    assert world.ledger.provider_records.forget_idle_deployments() == 1
    assert world.redis.exists(world.key) == 0


def test_both_sides_reckon_alike(world):
    """The wait that plans are made with is the one the script finds."""
    only_groq(world)
    for limit, level, gate_ms, tokens in ((60, -3.5, 0, 0), (7, 0.2, 9000, 0), (1000, 120.0, 0, 700), (3, -1, 500, 9)):
        now_ms = int(time.time() * 1000)
        bucket = f"{limit} 60000 {level} {now_ms}"
        gate = now_ms + gate_ms if gate_ms else 0
        world.redis.hset(world.key, GROQ, f"{gate} {now_ms} tpm {bucket} rpm {bucket}")
        job = f"job_{limit}"
        world.submit(job, prompt_tokens=tokens, deadline_ms=10**9)
        assert world.ledger.claim(job, 1) is None
        own = longest_wait_s([None, world.permits(GROQ)], now_ms / 1000, demand(tokens, 0), 0)
        theirs = world.ledger.release()[1]
        assert theirs == pytest.approx(own, abs=0.5)
        world.ledger.cancel(job, "acme")
