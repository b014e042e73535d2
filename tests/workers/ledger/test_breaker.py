"""Circuit breakers, step by step, on a real Redis. Times are moved by writing older ones."""

import time
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from config.breaker import BreakerConfig
from routing.breaker import BreakerState, Bucket
from routing.job import JobStatus
from tests.workers.conftest import outcome, submission
from workers.ledger.ledger import Ledger
from workers.ledger.record import Told

NAME, ACCOUNT = "groq/m", "groq"
QUICK = BreakerConfig(minimum_number_of_calls=4, slow_call_duration_threshold_ms=1000)
GOOD, BAD = f"{NAME} 1 5.0 4", f"{NAME} 0 5.0 0"


@pytest.fixture
def world(pipeline, settings, redis):
    """A ledger with quick breakers, and what tests do with it."""
    ledger = Ledger(pipeline, settings, lambda: QUICK)
    made = iter(range(10**6))
    key = f"{settings.key_prefix}breakers"

    def claim(**changes):
        job = f"job_{next(made)}"
        ledger.submit(submission(job, deployment=NAME, **changes))
        return ledger.claim(job, 1)

    def end(claimed, evidence):
        assert ledger.finish(claimed.id, claimed.epoch, outcome(evidence=evidence))

    def calls(*evidence):
        for words in evidence:
            end(claim(), words)

    def age(seconds, *names):
        """Move a breaker's times into the past."""
        for name in names or (NAME, ACCOUNT):
            state, changed, until, trips, opened, probes, ring = redis.hget(key, name).split(" ")
            past = seconds * 1000
            if ring != "-":
                parts = [bucket.split(":") for bucket in ring.split(",")]
                ring = ",".join(":".join([str(int(start) - past), *counts]) for start, *counts in parts)
            words = (state, int(changed) - past, max(int(until) - past, 0), trips, opened, probes, ring)
            redis.hset(key, name, " ".join(map(str, words)))

    def state(name=NAME):
        return ledger.provider_records.breakers()[name].state

    return SimpleNamespace(ledger=ledger, claim=claim, end=end, calls=calls, age=age, state=state, key=key, redis=redis)


def opened(world):
    """The world with both breakers open."""
    world.calls(BAD, BAD, BAD, BAD)
    assert world.state() is world.state(ACCOUNT) is BreakerState.OPEN
    return world


def half_opened(world):
    """The world with both breakers open and their wait over."""
    opened(world).age(11)
    return world


def test_good_calls_keep_it_closed(world):
    """Good calls are counted, and open nothing."""
    world.calls(*[GOOD] * 6)
    found = world.ledger.provider_records.breakers()
    assert found[NAME].state is BreakerState.CLOSED
    assert sum(bucket.calls for bucket in found[NAME].ring) == 6
    assert found.keys() == {NAME, ACCOUNT}


def test_too_few_calls_say_nothing(world):
    """Below the minimum number of calls even failures alone leave it closed."""
    world.calls(BAD, BAD, BAD)
    assert world.state() is BreakerState.CLOSED


def test_the_failure_rate_opens_deployment_and_account(world):
    """At the threshold both open, for the first wait, and the worker's log says so."""
    with capture_logs() as logs:
        world.calls(GOOD, GOOD, BAD, BAD)
    found = world.ledger.provider_records.breakers()[NAME]
    assert (found.state, found.trips, found.opened) == (BreakerState.OPEN, 1, 1)
    assert found.until_s - found.changed_s == pytest.approx(10)
    assert [(e["event"], e["breaker"], e["from"], e["to"]) for e in logs] == [
        ("breaker.changed", NAME, "closed", "open"),
        ("breaker.changed", ACCOUNT, "closed", "open"),
    ]


def test_a_lower_rate_does_not(world):
    """Below the threshold it stays closed."""
    world.calls(GOOD, GOOD, GOOD, BAD, BAD)
    assert world.state() is BreakerState.CLOSED


def test_failures_in_a_row_open_it_however_many_were_good(world):
    """Ten failures in a row open the deployment's breaker after a hundred good calls; the account goes by its rate."""
    world.calls(*[GOOD] * 100, *[BAD] * 9, GOOD, *[BAD] * 9)
    assert world.state() is BreakerState.CLOSED
    world.calls(BAD)
    assert (world.state(), world.state(ACCOUNT)) == (BreakerState.OPEN, BreakerState.CLOSED)


def test_failures_leave_the_window(world):
    """What is older than the window does not count, and is dropped when the next slice begins."""
    world.calls(BAD, BAD, BAD)
    world.age(61)
    world.calls(GOOD, BAD)
    assert world.state() is BreakerState.CLOSED
    ring = world.ledger.provider_records.breakers()[NAME].ring
    assert sum(bucket.calls for bucket in ring) == 2


def test_slices_add_up(world):
    """Failures of different slices of one window are taken together."""
    world.calls(BAD, BAD, BAD)
    world.age(30)
    world.calls(BAD)
    assert world.state() is BreakerState.OPEN


def test_slow_calls_open_it(world):
    """Good calls that are all too slow open it as well; one quick one among them does not let them."""
    world.calls(GOOD, *[f"{NAME} 1 1000 4"] * 4)
    assert world.state() is BreakerState.CLOSED
    world.age(61)
    world.calls(*[f"{NAME} 1 1000 4"] * 4)
    assert world.state() is BreakerState.OPEN


def test_failures_that_waiting_does_not_mend(world):
    """A failure that is no breaker's business is none, and counts for health all the same."""
    world.calls(*[f"{NAME} 2 5.0 0"] * 5)
    assert world.ledger.provider_records.breakers() == {}
    assert world.redis.hget(world.key.replace("breakers", "health"), NAME).split()[2] == "5"


def test_an_open_breaker_sends_the_job_on(world):
    """The claim holds the job, spends nothing, and names the next candidate that may be called."""
    claimed = opened(world).claim()
    assert (claimed.detour.place, claimed.detour.wait_s, claimed.probe) == (1, 0, False)
    record = world.ledger.read(claimed.id)
    assert (record.status, record.started_at, record.attempts) == (JobStatus.IN_PROGRESS, None, ())
    world.ledger.hand_over(claimed.id, 1, 1, Told())
    again = world.ledger.claim(claimed.id, 2)
    assert (again.candidate, again.detour) == (1, None)


def test_with_everybody_open_the_soonest_is_waited_for(world):
    """When nobody may be called the job is sent to the one that may be first; a forced one is the last resort."""
    opened(world)
    now = int(time.time() * 1000)
    world.redis.hset(world.key, "other/m", f"open {now} {now + 2000} 1 1 - -")
    detour = world.claim().detour
    assert detour.place == 1
    assert 0 < detour.wait_s <= 2
    world.ledger.provider_records.switch_breaker("other/m", BreakerState.FORCED_OPEN)
    detour = world.claim().detour
    assert detour.place == 0
    assert 2 < detour.wait_s <= 10
    world.ledger.provider_records.switch_breaker(ACCOUNT, BreakerState.FORCED_OPEN)
    assert world.claim().detour.wait_s is None


def test_an_open_breaker_learns_nothing(world):
    """Calls that began before it opened, and end after, neither close it nor lengthen its wait."""
    before = [world.claim() for _ in range(4)]
    opened(world)
    kept = world.ledger.provider_records.breakers()
    for claimed in before:
        world.end(claimed, GOOD)
    assert world.ledger.provider_records.breakers() == kept


def test_half_open_lets_only_the_permitted_through(world):
    """After the wait so many go through as probes and no more, until one of them is back."""
    half_opened(world)
    probes = [world.claim() for _ in range(3)]
    assert all(probe.probe and probe.detour is None for probe in probes)
    assert world.state() is world.state(ACCOUNT) is BreakerState.HALF_OPEN
    late = world.claim()
    assert not late.probe
    assert late.detour.wait_s == 0
    world.end(probes[0], BAD)
    assert world.claim().detour is not None, "a spent probe frees no place: its outcome stands for it"


def test_good_probes_close_it(world):
    """Two good probes of three outweigh whatever the third brings: it closes, and forgets its waits."""
    half_opened(world)
    first, second = world.claim(), world.claim()
    world.end(first, GOOD)
    assert world.state() is BreakerState.HALF_OPEN
    world.end(second, GOOD)
    found = world.ledger.provider_records.breakers()
    assert {name: row.state for name, row in found.items()} == dict.fromkeys((NAME, ACCOUNT), BreakerState.CLOSED)
    assert (found[NAME].trips, found[NAME].opened, found[NAME].ring) == (0, 1, ())


def test_bad_probes_open_it_for_longer(world):
    """Each opening in a row waits twice as long, up to the maximum."""
    opened(world)
    waits = []
    for _ in range(7):
        found = world.ledger.provider_records.breakers()[NAME]
        waits.append(round(found.until_s - found.changed_s))
        world.age(301)
        for probe in [world.claim(), world.claim()]:
            world.end(probe, BAD)
        assert world.state() is BreakerState.OPEN
    assert waits == [10, 20, 40, 80, 160, 300, 300]


def test_slow_probes_open_it_again(world):
    """Probes that answer too slowly are no recovery."""
    half_opened(world)
    for probe in [world.claim() for _ in range(3)]:
        world.end(probe, f"{NAME} 1 1000 4")
    assert world.state() is BreakerState.OPEN


def test_only_probes_decide(world):
    """Half open, the outcome of a call that was no probe counts for nothing."""
    stray = world.claim()
    half_opened(world)
    world.claim()
    world.end(stray, BAD)
    assert world.ledger.provider_records.breakers()[NAME].ring == ()


def test_a_probe_without_evidence_gives_its_place_back(world):
    """A probe that met a rate limit, was cancelled or handed over says nothing, and another may go."""
    half_opened(world)
    limited, cancelled, _ = (world.claim() for _ in range(3))
    assert world.claim().detour is not None
    world.end(limited, "")
    world.ledger.cancel(cancelled.id, "acme")
    assert [world.claim().probe for _ in range(3)] == [True, True, False]


def test_a_lost_probe_gives_its_place_back(world, settings):
    """When a probe's worker is killed, its place is free with the end of its lease."""
    half_opened(world)
    lost = [world.claim() for _ in range(3)]
    assert world.claim().detour is not None
    for probe in lost:
        world.redis.zadd(f"{settings.key_prefix}schedule", {probe.id: 0})
    world.ledger.rescue()
    again = world.ledger.claim(lost[0].id, 2)
    assert again.probe
    assert [world.claim().probe for _ in range(3)] == [True, True, False]


def test_fewer_permits_after_a_reload_lock_nobody_out(world, pipeline, settings):
    """A half open breaker whose permits were cut below the outcomes it has still lets a probe decide."""
    half_opened(world)
    world.end(world.claim(), GOOD)
    strict = BreakerConfig(permitted_number_of_calls_in_half_open_state=1)
    ledger = Ledger(pipeline, settings, lambda: strict)
    ledger.submit(submission("job_last", deployment=NAME))
    assert ledger.claim("job_last", 1).probe
    ledger.finish("job_last", 1, outcome(evidence=GOOD))
    assert world.state() is BreakerState.CLOSED


def test_who_ignores_breakers_is_not_asked(world):
    """A job whose tenant ignores breakers goes through an open breaker, on every candidate."""
    opened(world)
    world.ledger.submit(submission("job_free", careless=True))
    claimed = world.ledger.claim("job_free", 1)
    assert (claimed.detour, claimed.guarded) == (None, False)
    world.ledger.hand_over("job_free", 1, 1, Told())
    world.ledger.provider_records.switch_breaker("other", BreakerState.FORCED_OPEN)
    assert world.ledger.claim("job_free", 2).detour is None


def test_forced_states_stay(world):
    """What the operator forces holds whatever happens, until it is given back, with nothing counted."""
    ledger = world.ledger
    assert ledger.provider_records.switch_breaker(NAME, BreakerState.FORCED_CLOSED)
    assert not ledger.provider_records.switch_breaker(NAME, BreakerState.FORCED_CLOSED)
    ledger.provider_records.switch_breaker(ACCOUNT, BreakerState.FORCED_CLOSED)
    world.calls(*[BAD] * 9)
    assert world.state() is BreakerState.FORCED_CLOSED
    assert world.claim().detour is None
    ledger.provider_records.switch_breaker(NAME, BreakerState.FORCED_OPEN)
    world.age(86_400, NAME)
    assert world.claim().detour.place == 1
    ledger.provider_records.switch_breaker(NAME, BreakerState.CLOSED)
    assert ledger.provider_records.breakers()[NAME].ring == ()
    assert world.claim().detour is None


def test_an_unreadable_breaker_is_a_closed_one(world):
    """Junk in the hash stops no job, and is overwritten by the next call."""
    world.redis.hset(world.key, mapping={NAME: "junk", ACCOUNT: "open 1 2"})
    assert world.claim().detour is None
    world.calls(GOOD)
    assert world.ledger.provider_records.breakers()[NAME].ring[0].calls == 1


def test_a_breaker_that_opens_during_a_run_is_known(world):
    """A process knows, without asking, of a breaker that it saw open or forbid a call since a run began."""
    began = time.monotonic()
    world.calls(BAD, BAD, BAD)
    assert not world.ledger.saw_shut(NAME, began)
    world.calls(BAD)
    assert world.ledger.saw_shut(NAME, began)
    assert world.ledger.saw_shut(f"{ACCOUNT}/another", began), "the account's breaker is everybody's"
    assert not world.ledger.saw_shut("other/m", began)
    later = time.monotonic()
    assert not world.ledger.saw_shut(NAME, later), "a run that begins now was let through"
    assert world.claim().detour is not None
    assert world.ledger.saw_shut(NAME, later)
    world.age(11)
    probes = [world.claim(), world.claim()]
    assert all(probe.guarded for probe in probes)
    assert world.ledger.saw_shut(NAME, began), "half open, only probes may call"
    for probe in probes:
        world.end(probe, GOOD)
    assert not world.ledger.saw_shut(NAME, began)


def test_idle_breakers_are_forgotten(world):
    """Breakers do not grow with every name anybody ever tried; forced ones stay."""
    world.redis.hset(world.key, mapping={"a/m": "closed 1 0 0 0 - 1:1:1:0", "b/m": "forced_open 1 0 0 0 - -"})
    world.calls(GOOD)
    assert world.ledger.provider_records.forget_idle_deployments() == 1
    assert world.ledger.provider_records.breakers().keys() == {"b/m", NAME, ACCOUNT}


def test_made_up_names_do_not_fill_the_memory(world):
    """Beyond the bound new deployments get no breaker; accounts still do."""
    world.redis.hset(world.key, mapping={f"x/{n}": "closed 1 0 0 0 - -" for n in range(5000)})
    world.calls(GOOD)
    found = world.ledger.provider_records.breakers()
    assert NAME not in found
    assert found[ACCOUNT].ring == (Bucket(found[ACCOUNT].ring[0].start_s, 1, 0, 0),)
