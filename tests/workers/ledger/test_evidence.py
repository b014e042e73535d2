"""What the ledger's script records of attempts, beside what Health.after says of the same."""

import itertools
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from routing.health import UNKNOWN, Health
from tests.workers.conftest import outcome, submission

NAME = "groq/m"
sums = st.floats(0, 1e9)
attempts = st.lists(
    st.tuples(
        st.sampled_from("0123"),
        st.floats(0, 600_000).map(lambda ms: round(ms, 1)) | st.just(1e12),
        st.integers(0, 100_000) | st.just(2**53),
        st.integers(0, 500_000),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def record(ledger, redis, settings):
    """Records attempts of one run, as if the last were so many ms ago; gives what was there before and after."""
    key, names = f"{settings.key_prefix}health", (f"job_{n}" for n in itertools.count())

    def run(words, age_ms=0):
        job, stored = next(names), redis.hget(key, NAME)
        if stored and age_ms:
            *kept, speed_ms, last_ms = stored.split()
            aged = [str(max(int(word) - age_ms, 0)) for word in (speed_ms, last_ms)]
            redis.hset(key, NAME, " ".join([*kept, *aged]))
        before = redis.hget(key, NAME)
        ledger.submit(submission(job))
        ledger.claim(job, 1)
        assert ledger.finish(job, 1, outcome(evidence=words))
        return before, redis.hget(key, NAME)

    run.forget = lambda: redis.delete(key)
    run.write = lambda text: redis.hset(key, NAME, text)
    return run


def same(one, other):
    """Whether two healths are equal, as far as Unix seconds in a float are exact."""
    pairs = [(getattr(one.speed, name), getattr(other.speed, name)) for name in ("n", "x", "xx", "y", "yy", "xy")]
    pairs += [(one.calls, other.calls), (one.successes, other.successes)]
    assert [ours for ours, _ in pairs] == pytest.approx([theirs for _, theirs in pairs], rel=1e-6)
    assert (one.consecutive_failures, one.last_s) == (other.consecutive_failures, other.last_s)
    assert one.speed.last_s == other.speed.last_s


@given(attempts)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_health_after_is_what_the_ledger_writes(record, calls):
    """Whatever was recorded, in whatever order and at whatever age, Health.after says the same as the script."""
    record.forget()
    for result, took_ms, tokens, age_ms in calls:
        before, after = record(f"{NAME} {result} {took_ms} {tokens}", age_ms)
        written = Health.parse(after) if after else None
        known = Health.parse(before) if before else UNKNOWN
        if result == "3":
            # Where it told nothing, nothing was written.
            cut_s = written.speed.last_s if written else 0.0
            same(written or UNKNOWN, known.after_cut(took_ms, cut_s))
        else:
            same(written, known.after(result == "1", took_ms, tokens, written.last_s))


def test_who_is_always_overtaken_does_not_look_fast(record):
    """A call that was cut short counts as a whole answer where it took longer than usual, else for nothing."""
    record(f"{NAME} 1 100.0 20")
    before, after = record(f"{NAME} 3 40.0 0")
    assert before == after
    _, after = record(f"{NAME} 3 900.0 0")
    found = Health.parse(after)
    assert found.speed.mean_ms > 400
    assert found.speed.mean_tokens == pytest.approx(20)
    assert (found.calls, found.successes, found.consecutive_failures) == (1, 1, 0)


def test_a_cut_call_makes_nobody_known(record, redis, settings):
    """Of a deployment nobody knows a call that was cut short says nothing, and no breaker counts it."""
    assert record("new/m 3 900.0 0") == (None, None)
    assert redis.hget(f"{settings.key_prefix}health", "new/m") is None
    assert redis.hgetall(f"{settings.key_prefix}breakers") == {}


def test_all_attempts_of_a_run_count(record):
    """Two tries in one step are two attempts."""
    _, after = record(f"{NAME} 0 5.0 0 {NAME} 1 80.0 20")
    found = Health.parse(after)
    assert (found.calls, found.successes, found.consecutive_failures) == (2, 1, 0)
    assert (found.speed.mean_ms, found.speed.mean_tokens) == (80, 20)


def test_an_older_record_is_carried_on(record):
    """After an upgrade the uptime of before stays, and speed starts anew."""
    record.write(f"8 6 900 6 2 {int(time.time() * 1000)}")
    _, after = record(f"{NAME} 1 80.0 20")
    found = Health.parse(after)
    assert (round(found.calls), round(found.successes), found.consecutive_failures) == (9, 7, 0)
    assert (found.speed.n, found.speed.mean_ms) == (1, 80)


def test_what_cannot_be_read_is_begun_anew(record):
    """A record of any other form does not stop the step."""
    record.write("one two three")
    _, after = record(f"{NAME} 1 80.0 20")
    assert Health.parse(after).calls == 1
