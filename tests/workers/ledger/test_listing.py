"""A tenant's lists of jobs: what stands in them, in which order, and what leaves them."""

import itertools

import pytest

from routing.job import JobStatus
from tests.workers.conftest import outcome, submission
from workers.ledger.listing import Selection

ANY = Selection()
FAILED = Selection(statuses=frozenset({JobStatus.FAILED}))


def accept(ledger, *names, **changes):
    for name in names:
        ledger.submit(submission(name, **changes))


def fail(ledger, *names):
    for name in names:
        ledger.claim(name, 1)
        assert ledger.finish(
            name, 1, outcome(status=JobStatus.FAILED, http_status=502, answer='{"error": {"code": "x"}}')
        )


def walk(ledger, wanted=ANY, *, tenant="acme", limit=2, order="desc", between=lambda: None):
    """The ids of a whole list, page by page; `between` happens before each page but the first."""
    page = ledger.listing.page(tenant, wanted, limit=limit, order=order)
    names = [job.id for job in page.jobs]
    while page.more:
        between()
        page = ledger.listing.page(tenant, wanted, limit=limit, after=page.last, order=order)
        names += [job.id for job in page.jobs]
    return names


def test_a_list_has_every_job_of_its_tenant_newest_first(ledger):
    """In the order in which they were accepted, also within one millisecond, and nobody else's."""
    names = [f"job_{number}" for number in (5, 3, 9, 1, 7)]
    accept(ledger, *names)
    accept(ledger, "job_other", tenant="rival")
    assert walk(ledger) == names[::-1]
    assert walk(ledger, order="asc") == names
    assert walk(ledger, tenant="rival") == ["job_other"]
    assert walk(ledger, tenant="nobody") == []


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_jobs_that_come_meanwhile_neither_hide_nor_repeat_any(ledger, order):
    """A walk meets each job that was there at its beginning exactly once."""
    names = [f"job_{number}" for number in range(7)]
    accept(ledger, *names)
    more = itertools.count(100)
    added = itertools.islice(iter(lambda: accept(ledger, f"job_{next(more)}"), 0), 3)
    met = walk(ledger, order=order, between=lambda: next(added, None))
    assert len(met) == len(set(met))
    assert [name for name in met if name in names] == (names if order == "asc" else names[::-1])


def test_filters_hold_together(ledger):
    """Status, model, provider and time each leave jobs out."""
    accept(ledger, "job_1", "job_2")
    accept(ledger, "job_3", model="smart")
    accept(ledger, "job_4", queue="provider.other")
    fail(ledger, "job_2", "job_3")
    assert walk(ledger, FAILED) == ["job_3", "job_2"]
    assert walk(ledger, Selection(statuses=frozenset({JobStatus.FAILED}), model="fast")) == ["job_2"]
    assert walk(ledger, Selection(statuses=frozenset({JobStatus.FAILED, JobStatus.QUEUED}))) == [
        "job_4", "job_3", "job_2", "job_1",
    ]  # fmt: skip
    assert walk(ledger, Selection(provider="other")) == ["job_4"]
    assert walk(ledger, Selection(provider="groq", model="smart")) == ["job_3"]
    assert walk(ledger, Selection(provider="gro")) == []
    moments = {name: ledger.read(name).created_at for name in ("job_1", "job_4")}
    assert walk(ledger, Selection(created_after=moments["job_1"])) == ["job_4", "job_3", "job_2", "job_1"]
    assert walk(ledger, Selection(created_after=moments["job_4"] + 0.002)) == []
    assert walk(ledger, Selection(created_before=moments["job_1"])) == []
    assert walk(ledger, Selection(created_before=moments["job_4"] + 0.002), order="asc")[0] == "job_1"


def test_an_entry_tells_the_error_and_the_attempts(ledger):
    """What lists show of a failed job is enough to know why; of an answer nothing is read."""
    accept(ledger, "job_1", "job_2")
    fail(ledger, "job_1")
    ledger.claim("job_2", 1)
    ledger.finish("job_2", 1, outcome())
    second, first = (job.as_entry() for job in ledger.listing.page("acme", ANY, limit=5).jobs)
    assert (first["status"], first["error"]["code"], len(first["attempts"])) == ("failed", "x", 1)
    assert (second["status"], second["error"]) == ("completed", None)
    assert not {"plan", "response"} & (first.keys() | second.keys())
    whole = {name: value for name, value in ledger.read("job_1").as_object().items() if name in first}
    assert whole == first


def test_expired_abandoned_and_failed_jobs_keep_what_they_were_asked(make_ledger, redis, settings):
    """Whatever ends a job without an answer, it is found among the failures with its request, plan and attempts."""
    ledger = make_ledger(lease_s=0.001, requeue_check_s=0.001)
    accept(ledger, "job_failed")
    fail(ledger, "job_failed")
    accept(ledger, "job_abandoned", "job_expired")
    for epoch in range(1, 6):
        assert ledger.claim("job_abandoned", epoch)
        redis.zadd(f"{settings.key_prefix}schedule", {"job_abandoned": 0})
        ledger.rescue()
    redis.hset(f"{settings.key_prefix}job:job_expired", "deadline", 1)
    redis.zadd(f"{settings.key_prefix}schedule", {"job_expired": 0})
    ledger.rescue()
    wanted = Selection(statuses=frozenset({JobStatus.FAILED, JobStatus.EXPIRED}))
    found = {name: ledger.read(name) for name in walk(ledger, wanted)}
    assert {name: job.status.value for name, job in found.items()} == {
        "job_failed": "failed",
        "job_abandoned": "failed",
        "job_expired": "expired",
    }
    assert all(job.request and job.plan for job in found.values())
    assert [len(found[name].attempts) for name in ("job_failed", "job_abandoned")] == [1, 5]


def test_failures_are_found_without_looking_at_all_the_rest(ledger, redis, settings):
    """Looking for failures reads their own list: the other one may be gone."""
    accept(ledger, "job_1", "job_2")
    fail(ledger, "job_1")
    redis.delete(f"{settings.key_prefix}jobs:acme")
    assert walk(ledger, FAILED) == ["job_1"]
    assert walk(ledger) == []


def test_beyond_the_cap_the_oldest_failures_leave(make_ledger):
    """So many are listed as failures and no more; the jobs themselves stay."""
    ledger = make_ledger(failures_kept=3)
    names = [f"job_{number}" for number in range(6)]
    accept(ledger, *names)
    fail(ledger, *names)
    assert walk(ledger, FAILED) == names[:2:-1]
    assert walk(ledger) == names[::-1]
    # A walk that had got to one that has left goes on from its place.
    assert [job.id for job in ledger.listing.page("acme", FAILED, limit=5, after="job_5").jobs] == ["job_4", "job_3"]
    assert ledger.listing.page("acme", FAILED, limit=5, after="job_1").jobs == ()


def test_lists_shrink_with_what_they_list(make_ledger, redis, settings):
    """Jobs whose records have expired leave as new ones come, also past one that lives longer, and are never shown."""
    ledger = make_ledger(retention_s=1)
    names = [f"job_{number}" for number in range(40)]
    accept(ledger, *names)
    fail(ledger, *names)
    for kind in ("jobs", "failures"):
        assert redis.ttl(f"{settings.key_prefix}{kind}:acme") > 86_400
        for name in names:
            redis.zincrby(f"{settings.key_prefix}{kind}:acme", -10_000_000, name)
    redis.delete(*(f"{settings.key_prefix}job:{name}" for name in names if name != "job_0"))
    assert walk(ledger) == ["job_0"]
    newer = [f"job_n{number}" for number in range(60)]
    accept(ledger, *newer)
    fail(ledger, *newer)
    for kind in ("jobs", "failures"):
        left = redis.zcard(f"{settings.key_prefix}{kind}:acme")
        assert left < 60 + 25, f"{left} in {kind}"
        assert redis.zscore(f"{settings.key_prefix}{kind}:acme", "job_0") is not None


def test_a_forgotten_job_leaves(ledger, redis, settings):
    """Nothing is left of it in any list."""
    accept(ledger, "job_1", "job_2")
    fail(ledger, "job_1", "job_2")
    assert ledger.forget("job_1", "acme")
    assert walk(ledger) == walk(ledger, FAILED) == ["job_2"]
    assert redis.zcard(f"{settings.key_prefix}failures:acme") == 1


def test_a_page_begins_only_after_a_job_of_its_tenant(ledger):
    """Nobody learns of another tenant's job by naming it."""
    accept(ledger, "job_1")
    accept(ledger, "job_2", tenant="rival")
    assert ledger.listing.page("acme", ANY, limit=5, after="job_2") is None
    assert ledger.listing.page("acme", ANY, limit=5, after="job_none") is None


def test_a_rare_job_is_found_in_bounded_pages(ledger, monkeypatch):
    """A page ends where enough was looked at, and the next goes on there."""
    monkeypatch.setattr("workers.ledger.listing.STEP", 2)
    monkeypatch.setattr("workers.ledger.listing.MOST_LOOKED_AT", 4)
    accept(ledger, "job_rare", model="rare")
    accept(ledger, *(f"job_{number}" for number in range(10)))
    page = ledger.listing.page("acme", Selection(model="rare"), limit=5)
    assert (page.jobs, page.more, page.last) == ((), True, "job_6")
    assert walk(ledger, Selection(model="rare")) == ["job_rare"]


def test_a_replay_and_its_job_name_each_other(ledger, redis, settings):
    """In one step with the submit; a job that is gone is not brought back by it."""
    accept(ledger, "job_1")
    fail(ledger, "job_1")
    accept(ledger, "job_2", replay_of="job_1")
    assert (ledger.read("job_1").replayed_as, ledger.read("job_2").replay_of) == ("job_2", "job_1")
    assert [job.replayed_as for job in ledger.listing.page("acme", FAILED, limit=1).jobs] == ["job_2"]
    assert redis.ttl(f"{settings.key_prefix}job:job_1") > 0
    accept(ledger, "job_3", replay_of="job_gone")
    assert ledger.read("job_3").replay_of == "job_gone"
    assert not redis.exists(f"{settings.key_prefix}job:job_gone")
