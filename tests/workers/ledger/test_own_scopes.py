"""Permits of calls with a tenant's own key: another account to the ledger than the shared one. On a real Redis."""

import pytest

from config.provider import ProviderConfig, ProviderKey, ProviderLimits
from routing.job import Usage
from routing.permits import Gauge, Permits
from tests.workers.conftest import outcome, submission
from workers.ledger.ledger import Ledger
from workers.ledger.permits import configured_words, learnt_words
from workers.ledger.record import Room, Told

GROQ, OWN = "groq/m", "acme@groq/m"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def row(*, keys=0, **limits):
    variables = tuple(ProviderKey(f"KEY_{number}", f"secret-{number}") for number in range(keys))
    return ProviderConfig("groq", "groq", "https://groq.example", limits=ProviderLimits(**limits), keys=variables)


@pytest.fixture
def ledger(pipeline, settings):
    """A ledger whose operator allows groq one request a minute."""
    words = configured_words([row(requests_per_minute=1)])
    return Ledger(pipeline, settings, limits=lambda: words)


@pytest.fixture
def claim(ledger):
    """Have a job accepted and claimed; `own` says whose key calls to groq go out with."""

    def run(job, own=" groq:7 ", **changes):
        ledger.submit(submission(job, own=own, deadline_ms=600_000, **changes))
        return ledger.claim(job, 1)

    return run


@pytest.fixture
def permits(redis, settings):
    return lambda name: Permits.parse(redis.hget(f"{settings.key_prefix}permits", name) or "")


def told(name, remaining, limit=100, gauge="rpm", gate_ms=0):
    return learnt_words(name, [Gauge(gauge, limit, remaining, MINUTE_MS)], gate_ms)


def test_the_operators_limit_does_not_hold_for_a_tenants_key(claim):
    """It is that of the shared account: who uses it keeps to it, and who brought a key does not."""
    assert all(claim(f"own_{number}").detour is None for number in range(5))
    assert claim("shared_1", own="").detour is None
    assert claim("shared_2", own="").detour is not None


def test_a_job_knows_which_keys_it_was_accepted_for(claim):
    """By provider, with the version that will do."""
    assert claim("job_1", own=" groq:7 other.one:0 ").own == {"groq": 7, "other.one": 0}
    assert claim("job_2", own="").own == {}


def test_a_name_that_ends_alike_is_another_provider(claim):
    """A key for `my-groq` is none for `groq`."""
    assert claim("job_1", own=" my-groq:7 ").detour is None
    assert claim("job_2", own=" my-groq:7 ").detour is not None


def test_a_gate_of_a_tenants_key_keeps_back_its_jobs_alone(ledger, claim, permits):
    """The others go on with the shared account, and it with theirs."""
    running = claim("job_1")
    shut = Told(limits=told(OWN, 0, gate_ms=HOUR_MS))
    assert ledger.find_room(running.id, 1, 0, shut)[0] is Room.MOVED
    assert permits(OWN).gate_s > 0
    assert permits(GROQ) is None
    assert claim("job_2").detour.place == 1
    assert claim("job_3", own="").detour is None
    assert claim("job_4", own=" other:1 ").detour is not None


def test_jobs_are_parked_with_their_own_account_and_let_through(ledger, claim, redis, settings, permits):
    """In a list of their own, which no limit of the shared account holds up."""
    prefix = settings.key_prefix
    for name in (OWN, "other/m"):
        ledger.finish(claim(f"teach_{name}").id, 1, outcome(limits=told(name, 0, gate_ms=5 * MINUTE_MS)))
    assert claim("job_1") is None
    assert redis.zrange(f"{prefix}parked:{OWN}", 0, -1) in (["job_1:1"], [b"job_1:1"])
    assert ledger.release()[0] == 0
    redis.hdel(f"{prefix}permits", OWN)
    assert ledger.release()[0] == 1
    assert ledger.claim("job_1", 2).candidate == 0
    assert permits(GROQ) is None


def test_tokens_are_settled_where_they_were_taken(ledger, claim, permits):
    """An answer shorter than was estimated gives back to the tenant's own account."""
    ledger.finish(claim("teach").id, 1, outcome(limits=told(OWN, 900, limit=1000, gauge="tpm")))
    running = claim("job_1", prompt_tokens=300, completion_tokens=300)
    assert permits(OWN).buckets[0].level == pytest.approx(300, abs=40)
    assert ledger.finish(running.id, 1, outcome(usage=Usage(prompt_tokens=10, completion_tokens=20)))
    assert permits(OWN).buckets[0].level == pytest.approx(870, abs=40)
    assert permits(GROQ) is None


def test_each_key_of_an_account_has_the_rows_limits():
    """Two keys are two accounts of the vendor's; none, or one, is one."""
    limits = {"requests_per_minute": 30, "requests_per_day": 1000}
    assert configured_words([row(**limits)]) == ";groq rpm 30 60000 rpd 1000 86400000"
    assert configured_words([row(keys=1, **limits)]) == ";groq rpm 30 60000 rpd 1000 86400000"
    assert configured_words([row(keys=3, **limits)]) == ";groq rpm 90 60000 rpd 3000 86400000"
