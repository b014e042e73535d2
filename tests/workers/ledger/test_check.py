"""Checks of accounts, on a real Redis: whose turn it is, what is kept, and what they say to breakers."""

import time

import pytest

from routing.breaker import BreakerState
from routing.check import Check, CheckStatus
from tests.workers.conftest import outcome, submission
from workers.ledger.record import Finding

GOOD = Finding(CheckStatus.OK, 12.5)
BAD = Finding(CheckStatus.FAILED, 3.0, "the connection failed: it was refused")
REFUSED = Finding(CheckStatus.MISCONFIGURED, 3.0, "groq answered 401")


@pytest.fixture
def kept(redis, settings):
    """What is kept of an account's last check."""
    return lambda account="groq": Check.parse(redis.hget(f"{settings.key_prefix}checks", account))


@pytest.fixture
def breakers(redis, settings, ledger):
    """Breakers that are written and read; the times of waits are seconds from now."""

    class Breakers:
        def write(self, **states):
            now = int(time.time() * 1000)
            for name, (state, wait_s, trips) in states.items():
                text = f"{state} {now - 5000} {now + wait_s * 1000} {trips} 3 - {now - 5000}:9:9:0"
                redis.hset(f"{settings.key_prefix}breakers", name.replace("__", "/"), text)

        def waits(self):
            now = time.time()
            return {name: found.until_s - now for name, found in ledger.provider_records.breakers().items()}

    return Breakers()


def test_one_turn_for_all(ledger, make_ledger):
    """Of all processes one gets the turn of an account; every account has its own."""
    assert ledger.provider_records.take_check_turn("groq", 60)
    assert not make_ledger().provider_records.take_check_turn("groq", 60)
    assert make_ledger().provider_records.take_check_turn("other", 60)


def test_the_turn_comes_again(ledger, redis, settings):
    """The next turn is after the time that the check's outcome asked for."""
    ledger.provider_records.take_check_turn("groq", 300)
    key = f"{settings.key_prefix}check_turn:groq"
    assert 299_000 < redis.pttl(key) <= 300_000
    ledger.provider_records.record_check("groq", BAD, 5)
    assert 4_000 < redis.pttl(key) <= 5_000
    redis.pexpire(key, 1)
    while redis.exists(key):
        time.sleep(0.001)
    assert ledger.provider_records.take_check_turn("groq", 300)


def test_what_is_kept(ledger, kept):
    """Status, time, latency and error are kept, failures are counted in a row, and the status before is told."""
    before = time.time()
    assert ledger.provider_records.record_check("groq", BAD, 5) is None
    assert ledger.provider_records.record_check("groq", REFUSED, 5) is CheckStatus.FAILED
    found = kept()
    assert (found.status, found.latency_ms, found.failures, found.error) == (*vars_of(REFUSED)[:2], 2, REFUSED.error)
    assert before - 1 < found.at_s < time.time() + 1
    assert ledger.provider_records.record_check("groq", GOOD, 5) is CheckStatus.MISCONFIGURED
    assert (kept().failures, kept().error) == (0, "")
    assert ledger.provider_records.record_check("groq", BAD, 5) is CheckStatus.OK
    assert kept().failures == 1


def vars_of(finding):
    return finding.status, finding.latency_ms, finding.error


def test_junk_is_overwritten(ledger, redis, settings, kept):
    """A field that nobody could have written stops no check."""
    redis.hset(f"{settings.key_prefix}checks", "groq", "nonsense")
    assert ledger.provider_records.record_check("groq", BAD, 5) is None
    assert kept().failures == 1


def test_a_good_check_ends_the_wait(ledger, breakers):
    """An account's open breaker, and those of its deployments, let probes through now; calls still decide."""
    breakers.write(groq=("open", 200, 2), groq__m=("open", 200, 2), groq__n=("closed", 0, 0), other=("open", 200, 1))
    ledger.provider_records.record_check("groq", GOOD, 300)
    waits = breakers.waits()
    assert max(waits["groq"], waits["groq/m"]) <= 0
    assert waits["other"] > 100
    found = ledger.provider_records.breakers()
    assert (found["groq"].state, found["groq"].trips) == (BreakerState.OPEN, 2)
    ledger.submit(submission(deployment="groq/m"))
    claimed = ledger.claim("job_1", 1)
    assert claimed.probe
    ledger.finish("job_1", 1, outcome(evidence="groq/m 0 5.0 0"))
    ledger.submit(submission("job_2", deployment="groq/m"))
    assert ledger.claim("job_2", 1).probe, "half open as ever: two of three must fail"
    ledger.finish("job_2", 1, outcome(evidence="groq/m 0 5.0 0"))
    assert ledger.provider_records.breakers()["groq"].state is BreakerState.OPEN
    assert ledger.provider_records.breakers()["groq"].trips == 3, "the waits go on growing"


def test_a_failed_check_lengthens_the_wait(ledger, breakers):
    """Nobody is let through before the next check, but never later than one more opening would have it."""
    breakers.write(groq=("open", 1, 1), groq__m=("open", 100, 3))
    ledger.provider_records.record_check("groq", BAD, 15)
    waits = breakers.waits()
    assert waits["groq"] == pytest.approx(15, abs=2)
    assert waits["groq/m"] == pytest.approx(100, abs=2), "a wait is never cut by a failure"
    ledger.provider_records.record_check("groq", BAD, 300)
    assert breakers.waits()["groq"] == pytest.approx(20, abs=2), "10 s, doubled once"


@pytest.mark.parametrize("finding", [GOOD, BAD, REFUSED], ids=lambda finding: finding.status.value)
@pytest.mark.parametrize("state", ["closed", "half_open", "forced_open", "forced_closed"])
def test_only_an_open_account_is_told(ledger, breakers, redis, settings, finding, state):
    """A list of models says nothing of one deployment, and no check opens, closes or unforces anything."""
    breakers.write(groq=(state, 100, 1), groq__m=("open", 100, 1))
    before = redis.hgetall(f"{settings.key_prefix}breakers")
    ledger.provider_records.record_check("groq", finding, 15)
    assert redis.hgetall(f"{settings.key_prefix}breakers") == before


def test_a_refused_key_changes_no_wait(ledger, breakers, redis, settings):
    """Waiting longer does not mend a key, and nothing says that calls would be good."""
    breakers.write(groq=("open", 100, 1))
    before = redis.hgetall(f"{settings.key_prefix}breakers")
    ledger.provider_records.record_check("groq", REFUSED, 300)
    assert redis.hgetall(f"{settings.key_prefix}breakers") == before


def test_old_checks_are_forgotten(ledger, redis, settings):
    """The checks of accounts that are no longer configured go away."""
    redis.hset(f"{settings.key_prefix}checks", mapping={"gone": "ok 1 1.0 0 ", "junk": "junk"})
    ledger.provider_records.record_check("groq", GOOD, 5)
    assert ledger.provider_records.forget_idle_deployments() == 2
    assert redis.hkeys(f"{settings.key_prefix}checks") == ["groq"]
