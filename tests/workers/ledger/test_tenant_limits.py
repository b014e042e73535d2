"""Tenants' limits: what is reserved when a job is accepted, and settled when it ends, at times that the test sets."""

import calendar
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from routing.job import JobStatus, Usage
from tests.support.account import HOUR_MS
from tests.support.clock import expression
from tests.workers.conftest import submission
from workers.ledger.headroom import Refused, Standing
from workers.ledger.record import Accepted, Existing, Told

DAY_MS = 24 * HOUR_MS
_names = itertools.count()


def accepted(placed):
    """How many of these were."""
    return sum(isinstance(one, Accepted) for one in placed)


def test_every_script_that_ends_jobs_settles_their_limits(ledger):
    """Else it would fail at the first job that has reserved something."""
    for script in ledger._steps._scripts.values():
        calls = script.text.count("end_job(") - script.text.count("function end_job(")
        assert not calls or "settle_limits = function" in script.text, script.name


def test_a_tenant_without_limits_leaves_no_trace(account):
    """Nothing is counted, kept or told."""
    job = account.submit(tokens=10)
    assert (job.headroom.requests, job.headroom.tokens) == (None, None)
    account.finish(job)
    assert not account.redis.exists(f"{account.prefix}limits:tenant:{account.name}")
    assert account.redis.hget(f"{account.prefix}job:{job.id}", "limits") is None


def test_a_minute_lets_through_its_limit_and_says_when_it_opens(account, clock):
    """The limit's last request is taken, the next is refused with nothing written, until it fits, to the ms."""
    limit = {"rate_limit_per_minute": 3}
    assert [account.submit(**limit).headroom.requests.remaining for _ in range(3)] == [2, 1, 0]
    clock.advance(6_000)
    refused = account.submit(job="refused", **limit)
    # The first window must end, and then a third of the next, so that only two of it are left.
    assert (refused.name, refused.limit, refused.used, refused.wait_s) == ("rate_limit_per_minute", 3, 3, 54 + 20)
    assert refused.headroom.requests == Standing(3, 0, 114_000)
    assert account.ledger.read("refused") is None
    clock.advance(74_000 - 1)
    assert isinstance(account.submit(**limit), Refused)
    clock.advance(1)
    assert isinstance(account.submit(**limit), Accepted)
    assert isinstance(account.submit(**limit), Refused)


def test_two_quiet_minutes_forget_everything(account, clock):
    """Then the whole limit is there again."""
    for _ in range(2):
        assert accepted(account.submit(rate_limit_per_minute=5) for _ in range(9)) == 5
        clock.advance(120_000)


def test_refused_requests_are_not_counted(account, clock):
    """However many are refused, the next one fits as soon as it would have."""
    limit = {"rate_limit_per_minute": 2, "daily_requests": 3}
    assert accepted(account.submit(**limit) for _ in range(50)) == 2
    assert account.counter("day_requests") == 2
    clock.advance(120_000)
    assert accepted(account.submit(**limit) for _ in range(50)) == 1


def test_a_submit_that_is_sent_again_counts_once(account):
    """As after a connection that broke before its answer came; it is told how the limits stand all the same."""
    limit = {"rate_limit_per_minute": 2, "concurrent_jobs": 2}
    told = [account.submit(job="same", tokens=5, **limit).headroom.requests.remaining for _ in range(4)]
    assert told == [1] * 4
    assert (account.counter("requests"), account.counter("day_tokens"), account.counter("unfinished")) == (1, 5, 1)


def test_an_attach_costs_nothing(account):
    """An Idempotency-Key that is known gets its job where no request more would be taken."""
    limit = account.words(rate_limit_per_minute=1)
    fields = {"tenant": account.name, "idempotency": f"{account.name}:k", "fingerprint": "f", "limits": limit}
    assert isinstance(account.ledger.submit(submission("first", **fields)), Accepted)
    for number in range(3):
        assert isinstance(account.ledger.submit(submission(f"again_{number}", **fields)), Existing)
    assert account.counter("requests") == 1


def test_a_refused_request_does_not_claim_its_key(account, clock):
    """The key's next request is taken, and is a job of its own."""
    fields = {"tenant": account.name, "fingerprint": "f", "limits": account.words(rate_limit_per_minute=1)}
    account.ledger.submit(submission("first", **fields))
    key = {"idempotency": f"{account.name}:k"}
    assert isinstance(account.ledger.submit(submission("second", **key, **fields)), Refused)
    clock.advance(120_000)
    assert account.ledger.submit(submission("third", **key, **fields)) == Accepted("third")


@pytest.mark.parametrize(
    ("name", "opens", "left_s"),
    [
        ("daily_requests", datetime(2026, 2, 28, tzinfo=UTC), 12 * 3600),
        ("monthly_requests", datetime(2026, 3, 1, tzinfo=UTC), 36 * 3600),
        ("daily_tokens", datetime(2026, 2, 28, tzinfo=UTC), 12 * 3600),
        ("monthly_tokens", datetime(2026, 3, 1, tzinfo=UTC), 36 * 3600),
    ],
)
def test_days_and_months_are_those_of_utc(account, clock, name, opens, left_s):
    """A quota opens at the very beginning of the next, and not before."""
    limit = {name: 2}
    assert accepted(account.submit(tokens=1, **limit) for _ in range(3)) == 2
    assert account.submit(tokens=1, **limit).wait_s == left_s
    clock.set(int(opens.timestamp() * 1000) - 1)
    assert account.submit(tokens=1, **limit).wait_s == 0.001
    clock.advance(1)
    assert isinstance(account.submit(tokens=1, **limit), Accepted)


@given(day=st.integers(0, 200 * 366))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_months_are_those_of_the_calendar(ledger, day):
    """The day of the month and the first of the next, for two centuries from 1970."""
    date = datetime.fromtimestamp(day * DAY_MS / 1000, tz=UTC)
    steps = ledger._steps
    script = expression(steps, "submit", "{ ({ month_of(tonumber(ARGV[1])) })[2], next_month(tonumber(ARGV[1])) }")
    of_month, first = steps.command("EVAL", script.text, 0, day)
    assert of_month == date.day - 1
    assert first == day + calendar.monthrange(date.year, date.month)[1] - of_month


def test_tokens_are_reserved_and_settled_with_the_answer(account):
    """Between the two, the estimate counts; afterwards what was used, more or less."""
    limit = {"tokens_per_minute": 100, "daily_tokens": 1000}
    first = account.submit(tokens=60, **limit)
    assert first.headroom.tokens == Standing(100, 40, 120_000)
    refused = account.submit(tokens=60, **limit)
    assert (refused.name, refused.used) == ("tokens_per_minute", 60)
    account.finish(first, used=10)
    assert (account.counter("tokens"), account.counter("day_tokens")) == (10, 10)
    second = account.submit(tokens=60, **limit)
    account.finish(second, used=85)
    assert account.counter("tokens") == 95
    assert account.submit(tokens=5, **limit).headroom.tokens.remaining == 0


def test_an_answer_without_usage_has_used_its_estimate(account):
    """A provider that counts nothing gives nothing away."""
    account.finish(account.submit(tokens=60, daily_tokens=100), used=0)
    assert account.counter("day_tokens") == 60


def test_a_request_that_can_never_fit_has_no_time_to_wait(account):
    """More tokens than the limit has, or a limit of nothing."""
    assert account.submit(tokens=101, tokens_per_minute=100).wait_s is None
    assert account.submit(tokens=101, daily_tokens=100).wait_s is None
    assert account.submit(rate_limit_per_minute=0).wait_s is None
    assert account.submit(concurrent_jobs=0).wait_s is None


def test_settling_reaches_the_minute_that_was_reserved_in(account, clock):
    """What is given back comes off the window it was taken from, while that counts; later it is nobody's."""
    limit = {"tokens_per_minute": 100}
    early = account.submit(tokens=80, **limit)
    clock.advance(70_000)
    late = account.submit(tokens=10, **limit)
    account.finish(early, used=30)
    assert (account.counter("tokens_before"), account.counter("tokens")) == (30, 10)
    clock.advance(180_000)
    last = account.submit(tokens=7, **limit)
    account.finish(late, used=0, status=JobStatus.FAILED)
    assert (account.counter("tokens_before"), account.counter("tokens")) == (0, 7)
    account.finish(last, used=3)
    assert account.counter("tokens") == 3


def test_yesterdays_job_settles_nothing_of_today(account, clock):
    """A job that ends in another day, or month, than it began in gives that one nothing back."""
    limit = {"daily_requests": 10, "monthly_requests": 10, "daily_tokens": 100, "monthly_tokens": 100}
    clock.set(int(datetime(2026, 2, 28, 23, 59, tzinfo=UTC).timestamp() * 1000))
    job = account.submit(tokens=50, **limit)
    clock.advance(59_000)
    clock.advance(1_000)
    account.submit(tokens=20, **limit)
    assert account.ledger.cancel(job.id, account.name)
    names = ("day_requests", "month_requests", "day_tokens", "month_tokens")
    assert [account.counter(name) for name in names] == [1, 1, 20, 20]


@pytest.mark.parametrize("end", ["failed", "cancelled", "expired"])
def test_what_was_not_served_is_given_back(account, clock, end):
    """Its tokens, and its request to the day and the month; it stays one of the minute's."""
    limit = {"rate_limit_per_minute": 5, "daily_requests": 5, "monthly_requests": 5, "daily_tokens": 100}
    job = account.submit(tokens=50, **limit)
    if end == "failed":
        account.finish(job, status=JobStatus.FAILED)
    elif end == "cancelled":
        account.ledger.cancel(job.id, account.name)
    else:
        clock.advance(HOUR_MS)
        assert account.ledger.rescue() == [("expired", job.id)]
    names = ("day_requests", "month_requests", "day_tokens", "month_tokens", "tokens", "requests")
    assert [account.counter(name) for name in names] == [0, 0, 0, 0, 0, 1]


def test_what_a_cancelled_run_has_used_is_charged(account):
    """Once, when its worker tells of it."""
    job = account.submit(tokens=50, daily_tokens=100, daily_requests=5, concurrent_jobs=2)
    account.ledger.claim(job.id, 1)
    account.ledger.cancel(job.id, account.name)
    assert account.counter("day_tokens") == 0
    for _ in range(2):
        account.ledger.settle(job.id, 1, Told(), Usage(prompt_tokens=8, completion_tokens=3), 0)
    assert (account.counter("day_tokens"), account.counter("day_requests"), account.counter("unfinished")) == (11, 0, 0)


def test_unfinished_jobs_are_bounded(account, clock):
    """As many as may be at a time; an end makes room, and says how long the next one may take."""
    limit = {"concurrent_jobs": 2}
    first, _ = account.submit(**limit), account.submit(**limit)
    refused = account.submit(**limit)
    assert (refused.name, refused.used, refused.wait_s) == ("concurrent_jobs", 2, 1)
    clock.advance(8_000)
    account.finish(first)
    assert isinstance(account.submit(**limit), Accepted)
    assert account.submit(**limit).wait_s == 8
    clock.advance(3_000)
    assert account.submit(**limit).wait_s == 5


def test_queued_jobs_are_bounded(account):
    """Those that no worker has begun; one that is given back stands in line again."""
    limit = {"queued_jobs": 2}
    first, _ = account.submit(**limit), account.submit(**limit)
    assert account.submit(**limit).name == "queued_jobs"
    account.ledger.claim(first.id, 1)
    assert isinstance(account.submit(**limit), Accepted)
    account.ledger.hand_over(first.id, 1, 1, Told())
    assert (account.counter("queued"), account.counter("unfinished")) == (3, 3)
    assert account.submit(**limit).used == 3


def test_a_limit_that_comes_later_counts_from_then_on(account):
    """Jobs that were accepted without it are not counted, and do not count when they end."""
    before = account.submit(daily_requests=100)
    after = account.submit(daily_requests=100, concurrent_jobs=1)
    account.finish(before)
    assert account.counter("unfinished") == 1
    account.finish(after)
    assert account.counter("unfinished") == 0


def test_of_several_limits_the_one_that_opens_last_refuses(account):
    """So that who waits as it was told is not refused by another."""
    limit = {"rate_limit_per_minute": 1, "daily_requests": 1, "concurrent_jobs": 1}
    account.submit(**limit)
    assert account.submit(**limit).name == "daily_requests"


def test_the_limit_of_which_least_is_left_is_told(account):
    """By requests and by tokens, whether a minute's, a day's or a month's."""
    limit = {"rate_limit_per_minute": 3, "daily_requests": 4, "tokens_per_minute": 900, "monthly_tokens": 100}
    first = account.submit(tokens=10, **limit).headroom
    assert first.requests == Standing(3, 2, 120_000)
    assert first.tokens == Standing(100, 90, 36 * HOUR_MS)
    account.submit(**limit)
    account.clock.advance(120_000)
    assert account.submit(**limit).headroom.requests == Standing(4, 1, 12 * HOUR_MS - 120_000)


def test_several_scopes_are_reserved_all_or_none(account):
    """A tenant's and, say, a key's: what one refuses is not counted in the other."""
    tenant, key = account.words(rate_limit_per_minute=5), "key:k1 2 - - - - - 1 - - - -"
    first = account.submit(limits=f"{tenant} {key}")
    assert first.headroom.requests == Standing(2, 1, 120_000)
    assert account.submit(limits=f"{tenant} {key}").name == "concurrent_jobs"
    assert account.counter("requests") == 1
    account.finish(first)
    assert account.redis.hget(f"{account.prefix}limits:key:k1", "unfinished") == "0"
    assert isinstance(account.submit(limits=f"{tenant} {key}"), Accepted)
    assert account.submit(limits=f"{tenant} {key}").name == "rate_limit_per_minute"


def test_counters_of_idle_tenants_go_away(account):
    """After the month that they count has passed."""
    account.submit(daily_requests=5)
    ttl_s = account.redis.ttl(f"{account.prefix}limits:tenant:{account.name}")
    assert 32 * 86400 < ttl_s < 400 * 86400


STEPS = st.lists(
    st.tuples(
        st.integers(0, 90_000),
        st.integers(0, 60),
        st.sampled_from(["leave", "finish", "fail", "cancel"]),
        st.integers(0, 90),
    ),
    max_size=40,
)


@given(steps=STEPS, requests=st.integers(1, 6), tokens=st.integers(20, 120))
@hypothesis_settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_minute_has_more_than_its_limit(account, steps, requests, tokens):
    """By the formula over what was let through: never over the limit, and refused only where it would be."""
    account.name = f"acme_{next(_names)}"
    limit = {"rate_limit_per_minute": requests, "tokens_per_minute": tokens}
    windows = {}
    start = None
    for wait, cost, end, used in steps:
        account.clock.advance(wait)
        now = account.clock.now_ms
        window = start
        if start is None or now - start >= 120_000:
            window = now
        elif now - start >= 60_000:
            window += 60_000
        this, before = (windows.get(begun, [0, 0]) for begun in (window, window - 60_000))
        share = 1 - (now - window) / 60_000
        made, spent = (this[i] + before[i] * share for i in (0, 1))
        placed = account.submit(tokens=cost, **limit)
        fits = made + 1 <= requests + 1e-6 and spent + cost <= tokens + 1e-6
        assert isinstance(placed, Accepted) == fits
        assert placed.headroom.requests.remaining >= 0
        if not fits:
            assert placed.wait_s is None or placed.wait_s > 0
            continue
        start = window
        reserved = windows.setdefault(start, [0, 0])
        reserved[0] += 1
        reserved[1] += cost
        if end == "cancel":
            account.ledger.cancel(placed.id, account.name)
            reserved[1] -= cost
        elif end != "leave":
            status = JobStatus.COMPLETED if end == "finish" else JobStatus.FAILED
            account.finish(placed, used, status)
            known = used or end == "fail"
            reserved[1] += (used if known else cost) - cost
        assert [account.counter(name) for name in ("requests", "tokens")] == windows[start]
        assert account.counter("day_tokens") >= 0


@given(steps=STEPS, requests=st.integers(1, 6), tokens=st.integers(20, 120), cost=st.integers(0, 20))
@hypothesis_settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_who_waits_as_told_is_let_through(account, steps, requests, tokens, cost):
    """In any state of the limits: after the wait the request fits, and one ms before it did not."""
    account.name = f"acme_{next(_names)}"
    limit = {"rate_limit_per_minute": requests, "tokens_per_minute": tokens}
    for wait, spent, _, _ in steps:
        account.clock.advance(wait)
        account.submit(tokens=spent, **limit)
    refused = account.submit(tokens=cost, **limit)
    if isinstance(refused, Refused):
        wait_ms = round(refused.wait_s * 1000)
        assert 0 < wait_ms <= 120_000
        account.clock.advance(wait_ms - 1)
        assert isinstance(account.submit(tokens=cost, **limit), Refused)
        account.clock.advance(1)
        assert isinstance(account.submit(tokens=cost, **limit), Accepted)


@given(
    ends=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 900), st.sampled_from(["finish", "fail", "cancel"])), max_size=15
    )
)
@hypothesis_settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_refunds_are_exact(account, ends):
    """When every job has ended, the counters hold what was served and used, and nothing else."""
    account.name = f"acme_{next(_names)}"
    limit = {"daily_requests": 100, "daily_tokens": 100_000, "concurrent_jobs": 50, "queued_jobs": 50}
    jobs = [account.submit(tokens=tokens, **limit) for tokens, _, _ in ends]
    served = spent = 0
    for job, (tokens, used, end) in zip(jobs, ends, strict=True):
        if end == "cancel":
            account.ledger.cancel(job.id, account.name)
            continue
        account.finish(job, used, JobStatus.COMPLETED if end == "finish" else JobStatus.FAILED)
        served += end == "finish"
        spent += used or (tokens if end == "finish" else 0)
    names = ("day_requests", "month_requests", "day_tokens", "month_tokens", "unfinished", "queued")
    assert [account.counter(name) for name in names] == [served, served, spent, spent, 0, 0]
