"""The ledger's step before a second call, and what follows when that call fails as well, on a real Redis."""

import json
import time
from types import SimpleNamespace

import pytest

from routing.breaker import BreakerState
from routing.permits import Permits
from tests.workers.conftest import outcome, submission
from workers.ledger.permits import learnt_words
from workers.ledger.record import Room, Told

NAMES = ("groq", "other", "third")
PLAN = json.dumps({"policy": "balanced", "candidates": [[name, "m", 1, 1, 1, 1, 0, None, None] for name in NAMES]})


@pytest.fixture
def world(ledger, redis, settings):
    """A claimed job with three candidates, and ways to look at it and to keep candidates from being called."""
    ledger.submit(submission(plan=PLAN))
    assert ledger.claim("job_1", 1) is not None

    def field(name):
        return redis.hget(f"{settings.key_prefix}job:job_1", name)

    def fill(deployment):
        now_ms = int(time.time() * 1000)
        redis.hset(f"{settings.key_prefix}permits", deployment, f"0 {now_ms} rpm 60 3600000 0 {now_ms}")

    def permits(deployment):
        return Permits.parse(redis.hget(f"{settings.key_prefix}permits", deployment))

    def shut(deployment, state="half_open"):
        now_ms = int(time.time() * 1000)
        redis.hset(f"{settings.key_prefix}breakers", deployment, f"{state} {now_ms} 0 1 1 - -")

    def lapse():
        redis.zadd(f"{settings.key_prefix}schedule", {"job_1": 0})
        return ledger.rescue()

    return SimpleNamespace(**locals())


def test_the_run_that_holds_the_job_may(world):
    """It is told the first place it asks for; another epoch, or a job that has ended, gets nothing."""
    assert world.ledger.hedge("job_1", 1, [1, 2]) == 1
    assert world.ledger.hedge("job_1", 2, [1, 2]) is None
    assert world.ledger.finish("job_1", 1, outcome())
    assert world.ledger.hedge("job_1", 1, [1, 2]) is None


@pytest.mark.parametrize("name", ["other/m", "other"])
@pytest.mark.parametrize("state", ["open", "half_open", "forced_open"])
def test_no_second_call_is_a_probe(world, name, state):
    """Whose breaker, or whose account's, is not closed is passed by; its probes are left to others."""
    world.shut(name, state)
    before = world.redis.hget(f"{world.settings.key_prefix}breakers", name)
    assert world.ledger.hedge("job_1", 1, [1, 2]) == 2
    assert world.ledger.hedge("job_1", 1, [1]) is None
    assert world.redis.hget(f"{world.settings.key_prefix}breakers", name) == before


def test_a_breaker_that_is_forced_closed_is_no_bar(world):
    """Who the operator says may be called may be called a second time, too."""
    world.ledger.provider_records.switch_breaker("other/m", BreakerState.FORCED_CLOSED)
    assert world.ledger.hedge("job_1", 1, [1, 2]) == 1


def test_a_permit_is_needed_and_taken(world):
    """Who is at its limit is passed by; who has room gives one up."""
    world.fill("other/m")
    now_ms = int(time.time() * 1000)
    world.redis.hset(f"{world.settings.key_prefix}permits", "third/m", f"0 {now_ms} rpm 60 3600000 2 {now_ms}")
    assert world.ledger.hedge("job_1", 1, [1, 2]) == 2
    assert world.permits("third/m").buckets[0].level == pytest.approx(1, abs=0.1)
    assert world.ledger.hedge("job_1", 1, [1]) is None
    assert world.permits("other/m").buckets[0].level == pytest.approx(0, abs=0.1)


def test_nothing_of_the_job_moves(world):
    """The step changes neither the job's place nor its lease nor its schedule."""
    kept = ("status", "epoch", "candidate", "queue", "reached", "limited", "attempts")
    before = [world.field(name) for name in kept]
    due = world.redis.zscore(f"{world.settings.key_prefix}schedule", "job_1")
    assert world.ledger.hedge("job_1", 1, [2]) == 2
    assert [world.field(name) for name in kept] == before
    assert world.redis.zscore(f"{world.settings.key_prefix}schedule", "job_1") == due


def test_a_lost_worker_leaves_both_on_record(world):
    """Both calls are `lost`, the job runs again at its own candidate, and the second one's is not used up."""
    world.ledger.hedge("job_1", 1, [1])
    assert world.lapse() == [("lost_worker", "job_1")]
    attempts = json.loads(f"[{world.field('attempts')}]")
    assert [(a["provider"], a["status"], a.get("hedge")) for a in attempts] == [
        ("groq", "lost", None),
        ("other", "lost", True),
    ]
    claimed = world.ledger.claim("job_1", 2)
    assert (claimed.candidate, claimed.reached, claimed.limited) == (0, 0, ())
    # The next run made no second call.
    assert world.lapse() == [("lost_worker", "job_1")]
    assert len(json.loads(f"[{world.field('attempts')}]")) == 3


def test_a_second_call_that_failed_is_not_made_again(world):
    """The job moves past both, and may still go to the one between, which was not tried."""
    world.ledger.hedge("job_1", 1, [2])
    assert world.ledger.hand_over("job_1", 1, 1, Told(second="2 0"))
    claimed = world.ledger.claim("job_1", 2)
    assert (claimed.candidate, claimed.reached, claimed.limited) == (1, 2, ())


def test_one_between_may_still_be_gone_to(world):
    """Put off at its own candidate, a job keeps the place that its second call passed by."""
    world.ledger.hedge("job_1", 1, [2])
    assert world.ledger.defer("job_1", 1, 0, 1000, Told(second="2 0"))
    assert world.lapse() == [("deferred", "job_1")]
    claimed = world.ledger.claim("job_1", 3)
    assert (claimed.candidate, claimed.reached, claimed.limited) == (0, 2, (1,))


def test_a_second_call_without_room_may_be_waited_for(world):
    """Where both met a rate limit the job waits for whoever has room first; both lessons are kept."""
    world.fill("third/m")
    world.ledger.hedge("job_1", 1, [1])
    lessons = "\n".join((learnt_words("groq/m", [], 50_000), learnt_words("other/m", [], 20_000)))
    room, wait_s = world.ledger.find_room("job_1", 1, 0, Told(limits=lessons, second="1 1"))
    assert room is Room.PARKED
    assert 19 < wait_s <= 20
    assert world.field("deployment") == "other/m"


def test_a_job_shows_who_answered(world):
    """The provider of a job that its second call answered is the one that answered."""
    attempts = (
        '{"provider":"groq","model":"m","status":"cancelled","started_at":1,"duration":5},'
        '{"provider":"other","model":"m","status":"completed","started_at":1,"duration":5,"hedge":true}'
    )
    assert world.ledger.finish("job_1", 1, outcome(attempts=attempts))
    assert world.ledger.read("job_1").provider == "other"
