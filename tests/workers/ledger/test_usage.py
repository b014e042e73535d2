"""What a job has used is counted once, where it was used, and its record says so."""

import calendar
import itertools
import time

import pytest

from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from workers.ledger import scripts
from workers.ledger.record import MOST_USED, SecondUse, Told
from workers.usage.figures import Figures, Series
from workers.usage.reconciliation import NotCompared

KEY = "key_0123456789abcdef01234567"


def today():
    return time.strftime("%Y-%m-%d", time.gmtime())


@pytest.fixture
def counted(ledger):
    """What is counted of today: (key, provider, model) -> figures."""

    def read(tenant="acme"):
        entries = ledger.usage.entries([(tenant, today())])
        return {(entry.key, entry.provider, entry.model): entry.figures for entry in entries}

    return read


@pytest.fixture
def agrees(ledger):
    """Whether the counters say what the records and the accounts of removed ones say."""
    return lambda: not ledger.reconciliation().compare().differences


def run(ledger, job_id="job_1", **changes):
    """A job that a worker holds."""
    ledger.submit(submission(job_id, **{"key": KEY, **changes}))
    claimed = ledger.claim(job_id, 1)
    assert claimed is not None


def test_an_answer_is_counted_by_key_and_deployment(ledger, counted, agrees):
    """Requests, tokens and cost stand at the key and the deployment that answered."""
    run(ledger)
    ledger.finish("job_1", 1, outcome())
    assert counted() == {(KEY, "groq", "m"): Figures(1, 0, 0, 3, 4, 0, 0, 7)}
    assert agrees()


def test_a_second_finish_counts_nothing(ledger, counted):
    """A step that is repeated after its answer was lost adds nothing."""
    run(ledger)
    assert [ledger.finish("job_1", 1, outcome()) for _ in range(3)] == [True, False, False]
    assert counted() == {(KEY, "groq", "m"): Figures(1, 0, 0, 3, 4, 0, 0, 7)}


@pytest.mark.parametrize(("status", "figures"), [(JobStatus.FAILED, Figures(0, 1)), (JobStatus.EXPIRED, Figures(0, 1))])
def test_jobs_without_an_answer_are_counted_as_such(ledger, counted, agrees, status, figures):
    """A failed job is a failed request of the deployment at which it ended."""
    run(ledger)
    ledger.finish("job_1", 1, outcome(status=status, usage=Usage(), cost_microusd=0))
    assert counted() == {(KEY, "groq", "m"): figures}
    assert agrees()


def test_ends_that_no_worker_made_are_counted(ledger, redis, settings, counted, agrees):
    """A cancelled job, and one that the rescue ends, count as what they are."""
    ledger.submit(submission("job_1", key=KEY))
    ledger.cancel("job_1", "acme")
    ledger.submit(submission("job_2", deadline_ms=1))
    time.sleep(0.01)
    redis.zadd(f"{settings.key_prefix}schedule", {"job_2": 0})
    ledger.rescue()
    assert counted() == {(KEY, "groq", "m"): Figures(0, 0, 1), (None, "groq", "m"): Figures(0, 1)}
    assert agrees()


def test_what_was_spent_in_vain_stands_where_it_was_spent(ledger, counted, agrees):
    """A call that failed over keeps its tokens at its own deployment; the request counts where the answer came from."""
    run(ledger)
    ledger.hand_over("job_1", 1, 1, Told(spent=Usage(5, 6), spent_microusd=9))
    ledger.claim("job_1", 2)
    ledger.finish("job_1", 2, outcome())
    assert counted() == {
        (KEY, "groq", "m"): Figures(prompt_tokens=5, completion_tokens=6, cost_microusd=9),
        (KEY, "other", "m"): Figures(1, 0, 0, 3, 4, 0, 0, 7),
    }
    assert agrees()


@pytest.mark.parametrize("answered", [True, False])
def test_a_second_call_stands_at_its_own_deployment(ledger, counted, agrees, answered):
    """Of two calls side by side each has its own, and the request counts where the answer was taken from."""
    run(ledger)
    second = SecondUse("other/m", answered, Usage(1, 2), 3)
    ledger.finish("job_1", 1, outcome(usage=Usage(4, 6), cost_microusd=10, second=second))
    assert counted() == {
        (KEY, "groq", "m"): Figures(not answered, 0, 0, 3, 4, 0, 0, 7),
        (KEY, "other", "m"): Figures(answered, 0, 0, 1, 2, 0, 0, 3),
    }
    assert agrees()


def test_what_a_cancelled_run_tells_is_kept_as_long_as_it_is_judged(ledger, redis, settings, counted, agrees):
    """Told after the end, it is added, and the record is kept on from then."""
    run(ledger)
    ledger.cancel("job_1", "acme")
    redis.expire(f"{settings.key_prefix}job:job_1", 100)
    assert ledger.settle("job_1", 1, Told(attempts="{}"), Usage(5, 6), 9)
    assert counted() == {(KEY, "groq", "m"): Figures(0, 0, 1, 5, 6, 0, 0, 9)}
    assert redis.ttl(f"{settings.key_prefix}job:job_1") > 100
    assert agrees()


def test_a_forgotten_job_stays_counted(ledger, redis, settings, counted, agrees):
    """Its record goes, and leaves what it used in the account of those that are gone."""
    run(ledger)
    ledger.finish("job_1", 1, outcome())
    ledger.forget("job_1", "acme")
    assert counted() == {(KEY, "groq", "m"): Figures(1, 0, 0, 3, 4, 0, 0, 7)}
    gone = f"{settings.key_prefix}usage_gone:acme:{today()}"
    assert redis.hgetall(gone) == {f"{KEY} groq/m": "1 0 0 3 4 0 0 7"}
    assert redis.ttl(gone) > settings.retention_s
    assert agrees()


def test_made_up_names_do_not_fill_the_memory(ledger, redis, settings, counted, agrees):
    """Beyond a thousand series of a day deployments are one, and nothing is lost of what they used."""
    by = f"{settings.key_prefix}usage_by:acme:{today()}"
    redis.hset(by, mapping={f"- made/up-{number}": "0 0 0 0 0 0 0 0" for number in range(1000)})
    for number in range(5):
        run(ledger, f"job_{number}", deployment=f"groq/made-up-{number}")
        ledger.finish(f"job_{number}", 1, outcome())
    found = counted()
    assert found[KEY, "groq", "*"] == Figures(4, 0, 0, 12, 16, 0, 0, 28)
    assert len(found) == 1002
    redis.hset(by, mapping={f"- made/up-{number}": "0 0 0 0 0 0 0 0" for number in range(1000, 2001)})
    run(ledger, "job_9", key="key_9", deployment="groq/made-up")
    ledger.finish("job_9", 1, outcome())
    assert counted()[None, "*", "*"] == Figures(1, 0, 0, 3, 4, 0, 0, 7)
    assert agrees()


def test_what_no_provider_can_mean_is_still_counted(ledger, counted, agrees):
    """A claim of 10^30 tokens ends the job like any other, and does not make the sums useless."""
    run(ledger)
    assert ledger.finish("job_1", 1, outcome(usage=Usage(10**30, 4), cost_microusd=10**30))
    assert counted()[KEY, "groq", "m"] == Figures(1, 0, 0, MOST_USED, 4, 0, 0, MOST_USED)
    assert agrees()


def test_the_days_of_usage_go_away(ledger, redis, settings):
    """Every account of a day has an end, of 400 days at most, whatever it began with."""
    run(ledger)
    ledger.finish("job_1", 1, outcome(status=JobStatus.FAILED, usage=Usage(), cost_microusd=0))
    run(ledger, "job_2")
    ledger.finish("job_2", 1, outcome())
    keys = redis.keys(f"{settings.key_prefix}usage*")
    assert len(keys) == 3
    assert all(0 < redis.ttl(key) <= 400 * 86_400 for key in keys)


@pytest.mark.parametrize("day", ["1970-01-01", "2000-02-29", "2026-02-28", "2026-03-01", "2027-12-31", "2100-02-28"])
def test_days_are_those_of_the_calendar(redis, day):
    """The scripts' own calendar names days as everybody does."""
    text = (scripts.FOLDER / "usage.lua").read_text()
    start = text.index("local function today()")
    function = text[start : text.index("\nend\n", start) + 5]
    seconds = calendar.timegm(time.strptime(day, "%Y-%m-%d"))
    for at in (seconds, seconds + 86_399):
        assert redis.eval(f"local now = {at} * 1000\n{function}\nreturn today()", 0) == day


@pytest.fixture
def used(ledger):
    """A ledger of three answered jobs, the record of one of which is gone."""
    for number in range(3):
        run(ledger, f"job_{number}")
        ledger.finish(f"job_{number}", 1, outcome())
    ledger.forget("job_2", "acme")
    return ledger


@pytest.fixture
def accounts(settings):
    """The keys of the series and of the totals of today."""
    return [f"{settings.key_prefix}{kind}:acme:{today()}" for kind in ("usage_by", "usage")]


def before_the_records(comparison, act):
    """Have something done after the accounts were read, and before the records are."""
    pages = comparison._pages

    def pages_after():
        act()
        yield from pages()

    comparison._pages = pages_after
    return comparison


@pytest.mark.parametrize(
    ("series", "text"),
    [(f"{KEY} groq/m", "2 0 0 6 8 0 0 14"), ("key_x groq/m", "9 0 0 0 0 0 0 0"), (f"{KEY} groq/m", "?")],
)
def test_a_changed_series_is_found_and_put_right(used, redis, accounts, counted, series, text):
    """Whatever a series says instead, the comparison sees it, and writes what the ledger says."""
    right = counted()
    redis.hset(accounts[0], series, text)
    put_right(used)
    assert {name: figures for name, figures in counted().items() if figures != Figures()} == right


@pytest.mark.parametrize("lost", [[0], [1], [0, 1]])
def test_lost_accounts_are_found_and_put_right(used, redis, settings, accounts, counted, lost):
    """Series and totals come back as they were, also where nothing is left to say that there were any."""
    right, summed = counted(), redis.hgetall(accounts[1])
    redis.delete(*(accounts[each] for each in lost), f"{settings.key_prefix}usage_tenants:{today()}")
    put_right(used)
    assert counted() == right
    assert redis.hgetall(accounts[1]) == summed
    assert all(redis.ttl(name) > 0 for name in accounts)


def put_right(ledger):
    """Fix the one difference there is."""
    comparison = ledger.reconciliation()
    [difference] = comparison.compare().differences
    assert difference.ledger == Figures(3, 0, 0, 9, 12, 0, 0, 21)
    comparison.fix(difference)
    assert not ledger.reconciliation().compare().differences


def test_jobs_that_end_meanwhile_are_no_difference(used, accounts, redis, counted):
    """What is counted after an account was read is left out of the records as well; a fix keeps it."""
    ids = itertools.count(100)

    def work(_=None):
        job_id = f"job_{next(ids)}"
        run(used, job_id)
        used.finish(job_id, 1, outcome())
        if int(job_id[4:]) % 2:
            used.forget(job_id, "acme")

    assert not before_the_records(used.reconciliation(work), work).compare().differences
    redis.hset(accounts[0], f"{KEY} groq/m", "0 0 0 0 0 0 0 0")
    comparison = before_the_records(used.reconciliation(work), work)
    [difference] = comparison.compare().differences
    work()
    comparison.fix(difference)
    assert counted()[KEY, "groq", "m"].requests == 3 + next(ids) - 100
    assert not used.reconciliation().compare().differences


def test_records_that_are_removed_meanwhile_are_found(used):
    """Those that leave between the look at the accounts and at the records are told of, at each look."""
    leaving = iter(("job_0", "job_1"))
    report = before_the_records(used.reconciliation(), lambda: used.forget(next(leaving), "acme")).compare()
    assert not report.differences
    assert report.compared["acme", today()] == Figures(3, 0, 0, 9, 12, 0, 0, 21)


def test_days_whose_records_expire_are_not_judged(used, redis, settings, accounts):
    """Where records were kept for a shorter time than the day is old, nothing is said of it, whatever is set now."""
    redis.hset(accounts[0], "retention", 1)
    redis.delete(f"{settings.key_prefix}job:job_0")
    report = used.reconciliation().compare()
    assert today() in report.unjudged
    assert not report.differences
    assert not report.compared


def test_one_comparison_at_a_time(used, redis, settings):
    """A second one is refused; one that lost its turn says so."""

    def interrupt():
        with pytest.raises(NotCompared, match="under way"):
            used.reconciliation().compare()
        redis.set(f"{settings.key_prefix}usage_watch", "somebody else")

    with pytest.raises(NotCompared, match="run it again"):
        before_the_records(used.reconciliation(), interrupt).compare()
    redis.delete(f"{settings.key_prefix}usage_watch")
    assert not used.reconciliation().compare().differences


def test_a_comparison_leaves_nothing_behind(used, redis, settings):
    """No key of its own stays."""
    before = set(redis.keys(f"{settings.key_prefix}*"))
    used.reconciliation().compare()
    assert set(redis.keys(f"{settings.key_prefix}*")) == before


def test_series_are_read_as_they_are_named():
    """A field that is no series is none."""
    assert Series.parse("key_1 groq/a/b").deployment == "groq/a/b"
    assert Series.parse("retention") is None
    assert Figures.parse("nonsense") == Figures() == Figures.parse("1 2 3 4 5 6 7 8 9")
