"""Budgets: what is held for a job when it is accepted, what it has spent when it ends, and who is told."""

from datetime import UTC, datetime

import pytest

from config.tenant import Tenant, TenantQuotas
from routing.job import JobStatus, Usage
from tests.support.account import HOUR_MS
from tests.workers.conftest import submission
from workers.budgets import budget_words
from workers.ledger.batch_lines import Fed, LineOrder, Place
from workers.ledger.batch_record import BatchOrder, BatchStatus
from workers.ledger.headroom import Refused
from workers.ledger.record import Accepted, Told
from workers.webhooks.subjects import subjects_of

USD = 1_000_000
PERIODS = ("day", "month")


def money(account, scope="tenant"):
    """What is spent and held, which is the same of the day and of the month."""
    told = {(account.counter(f"{period}_spent", scope), account.counter(f"{period}_held", scope)) for period in PERIODS}
    (both,) = told
    return both


@pytest.mark.parametrize("name", ["daily_microusd", "monthly_microusd"])
def test_the_estimate_is_held_and_the_cost_is_spent(account, name):
    """Between the two nobody else gets it; what was not spent of it is there again."""
    budget = {name: 10 * USD}
    first = account.submit(microusd=6 * USD, **budget)
    assert money(account) == (0, 6 * USD)
    refused = account.submit(microusd=5 * USD, job="refused", **budget)
    assert (refused.limit, refused.used, refused.held) == (10 * USD, 6 * USD, 6 * USD)
    assert account.ledger.read("refused") is None
    account.finish(first, cost=2 * USD)
    assert money(account) == (2 * USD, 0)
    account.finish(account.submit(microusd=8 * USD, **budget), cost=9 * USD)
    assert money(account) == (11 * USD, 0)
    assert isinstance(account.submit(microusd=1, **budget), Refused)
    assert isinstance(account.submit(microusd=0, **budget), Refused)


def test_an_answer_of_unknown_cost_has_cost_its_estimate(account):
    """A provider that tells no usage gives nothing away."""
    account.finish(account.submit(microusd=7, daily_microusd=100), cost=None)
    assert money(account) == (7, 0)


@pytest.mark.parametrize(
    ("name", "opens"),
    [("daily_microusd", datetime(2026, 2, 28, tzinfo=UTC)), ("monthly_microusd", datetime(2026, 3, 1, tzinfo=UTC))],
)
def test_budgets_begin_anew_with_their_day_and_month(account, clock, name, opens):
    """In UTC, to the ms; what was spent before is nobody's concern then, nor what is settled of it."""
    clock.set(int(opens.timestamp() * 1000) - 1_800_000)
    late = account.submit(microusd=4, **{name: 10})
    account.finish(account.submit(microusd=6, **{name: 10}), cost=6)
    refused = account.submit(microusd=5, **{name: 10})
    assert (refused.name, refused.wait_s) == (name.replace("microusd", "usd"), 1800)
    clock.set(int(opens.timestamp() * 1000) - 1)
    assert isinstance(account.submit(microusd=5, **{name: 10}), Refused)
    clock.advance(1)
    assert isinstance(account.submit(microusd=10, **{name: 10}), Accepted)
    account.finish(late, cost=4)
    period = "day" if name.startswith("daily") else "month"
    assert (account.counter(f"{period}_spent"), account.counter(f"{period}_held")) == (0, 10)


@pytest.mark.parametrize("end", ["failed", "cancelled", "expired", "abandoned"])
def test_what_is_held_for_a_job_that_got_no_answer_comes_back(account, clock, end):
    """However it ends; what its calls have spent in vain stays spent."""
    job = account.submit(microusd=50, daily_microusd=100)
    spent = 3
    if end == "failed":
        account.finish(job, status=JobStatus.FAILED, cost=spent)
    elif end == "cancelled":
        account.ledger.claim(job.id, 1)
        account.ledger.cancel(job.id, account.name)
        assert money(account) == (0, 0)
        told = Told(spent=Usage(prompt_tokens=1), counted_microusd=spent)
        for _ in range(2):
            account.ledger.settle(job.id, 1, told, told.spent, 0)
    elif end == "expired":
        spent = 0
        clock.advance(HOUR_MS)
        assert account.ledger.rescue() == [("expired", job.id)]
    else:
        spent = 0
        lose_every_worker(account, clock, job)
    assert money(account) == (spent, 0)


def lose_every_worker(account, clock, job):
    """The lease of each worker that takes the job lapses."""
    for epoch in range(1, 6):
        assert account.ledger.claim(job.id, epoch) is not None
        assert account.counter("day_held") == 50
        clock.advance(60_000)
        done = account.ledger.rescue()
    assert done == [("abandoned", job.id)]


def test_what_calls_spend_in_vain_is_spent_at_once(account):
    """A job that goes on elsewhere keeps what is held for it beside that."""
    job = account.submit(microusd=50, daily_microusd=100, queued_jobs=5)
    account.ledger.claim(job.id, 1)
    account.ledger.hand_over(job.id, 1, 1, Told(spent=Usage(prompt_tokens=5), counted_microusd=7))
    assert money(account) == (7, 50)
    account.ledger.claim(job.id, 2)
    waste = Told(spent=Usage(prompt_tokens=5), counted_microusd=9)
    assert account.ledger.find_room(job.id, 2, 1000, waste) is not None
    assert (money(account), account.counter("queued")) == ((16, 50), 1)
    account.ledger.cancel(job.id, account.name)
    assert (money(account), account.counter("queued")) == ((16, 0), 0)


def test_a_tenants_and_a_keys_budget_both_hold(account):
    """What one refuses is held in neither; the refusal says whose it is."""
    own, of_key = {"daily_microusd": 100}, {"daily_microusd": 30}
    first = account.submit(microusd=20, key=of_key, **own)
    refused = account.submit(microusd=20, key=of_key, **own)
    assert (refused.scope, refused.limit) == (f"key:{account.name}_key", 30)
    assert (money(account), money(account, "key")) == ((0, 20), (0, 20))
    account.submit(microusd=75, **own)
    refused = account.submit(microusd=10, key=of_key, **own)
    assert (refused.scope, refused.limit) == (f"tenant:{account.name}", 100)
    account.finish(first, cost=30)
    assert (money(account), money(account, "key")) == ((30, 75), (30, 0))


def test_a_request_over_the_whole_budget_has_no_time_to_wait(account):
    """However little was spent; and a budget of nothing lets through what costs nothing."""
    assert account.submit(microusd=101, daily_microusd=100).wait_s is None
    assert account.submit(microusd=1, monthly_microusd=0).wait_s is None
    assert isinstance(account.submit(microusd=0, monthly_microusd=0), Accepted)


@pytest.fixture
def events(account, redis, settings):
    """What the tenant was told of its budgets so far; the outbox is emptied."""
    account.redis.hset(f"{account.prefix}endpoints:{account.name}", "we_1", "{}")
    subjects, found = subjects_of(account.ledger), []

    def told():
        for name in redis.zrange(f"{settings.key_prefix}outbox", 0, -1):
            if name.startswith("budget_"):
                found.append(subjects.read(name))
            redis.zrem(f"{settings.key_prefix}outbox", name)
        assert {one.tenant for one in found} <= {account.name}
        return sorted((one.event, one.data["scope"], one.data["period"], one.data["date"]) for one in found)

    told.found = found
    return told


def test_a_warning_is_sent_once_a_period(account, clock, events):
    """When what was spent, not what is held, reaches the part of the budget to warn of; the next day again."""
    budget = {"daily_microusd": 100, "monthly_microusd": 1000}
    account.finish(account.submit(microusd=100, **budget), cost=79)
    assert events() == []
    for cost in (1, 1):
        account.finish(account.submit(microusd=5, **budget), cost=cost)
        assert events() == [("budget.warning", "tenant", "day", "2026-02-27")]
    clock.advance(24 * HOUR_MS)
    account.finish(account.submit(microusd=90, budget_warning=None, **budget), cost=90)
    assert len(events()) == 1
    account.finish(account.submit(microusd=1, **budget), cost=1)
    assert events()[1:] == [("budget.warning", "tenant", "day", "2026-02-28")]


def test_exhausted_is_sent_once_a_period(account, events):
    """When the budget is spent, or refuses what would fit it, whatever comes back of what is held."""
    budget = {"monthly_microusd": 100}
    account.finish(account.submit(microusd=60, **budget), cost=60)
    account.submit(microusd=20, **budget)
    assert isinstance(account.submit(microusd=30, **budget), Refused)
    assert isinstance(account.submit(microusd=101, **budget), Refused)
    assert events() == []
    for _ in range(2):
        assert isinstance(account.submit(microusd=41, **budget), Refused)
        assert events() == [("budget.exhausted", "tenant", "month", "2026-02")]
    account.finish(account.submit(microusd=20, **budget), cost=100)
    assert events() == [
        ("budget.exhausted", "tenant", "month", "2026-02"),
        ("budget.warning", "tenant", "month", "2026-02"),
    ]


def test_a_keys_budget_is_told_of_with_the_key(account, events):
    """The webhook's data has it, and what was spent; for a tenant without endpoints nothing is put in the outbox."""
    account.finish(account.submit(microusd=10, key={"daily_microusd": 10}), cost=12)
    assert [event[:3] for event in events()] == [("budget.exhausted", "key", "day"), ("budget.warning", "key", "day")]
    data = events.found[0].data
    assert (data["key"], data["limit_usd"], data["spent_usd"]) == (f"{account.name}_key", 0.00001, 0.000012)
    account.redis.delete(f"{account.prefix}endpoints:{account.name}")
    account.finish(account.submit(microusd=10, daily_microusd=10), cost=12)
    assert account.redis.zcard(f"{account.prefix}outbox") == 0


START = Place(0, 0)


def lines_of(account, *costs, start=0):
    """Lines of a batch that are taken to cost so much, with the places after them."""
    return [
        (
            LineOrder(
                f"line-{n}", "groq", 0, submission(f"{account.name}_line_{n}", priority=9, expected_microusd=cost)
            ),
            Place(n, 10 * n),
        )
        for n, cost in enumerate(costs, start + 1)
    ]


@pytest.fixture
def held(account):
    """A batch of the tenant's whose lines may be fed."""
    window = {"endpoint": "/v1/chat/completions", "input_file": "file-1", "window": "24h", "window_s": 86_400}
    account.ledger.batches.create(BatchOrder(f"batch_{account.name}", account.name, **window), 10)
    (held,) = account.ledger.batches.take(10)
    account.ledger.batches.mark(held, BatchStatus.IN_PROGRESS, total=3, in_progress_at="@now")
    return held


def test_lines_wait_where_a_budget_has_no_room(account, held):
    """Those that fit are accepted, the others stay where they are; a step that is sent again changes nothing."""
    tenant = Tenant(account.name, quotas=TenantQuotas(daily_microusd=100, rate_limit_per_minute=1, concurrent_jobs=1))
    words = budget_words(tenant, "k", TenantQuotas(monthly_microusd=90))
    batches = account.ledger.batches
    for _ in range(2):
        fed = batches.feed(held, START, lines_of(account, 40, 40, 40), words)
        assert fed.count == 2
        assert money(account) == (0, 80)
    assert batches.read(held.id).cursor == 2
    rest = lines_of(account, 20, start=2)
    assert batches.feed(held, Place(2, 20), rest, words) == Fed(0, 36 * 3600)
    assert account.ledger.read(f"{account.name}_line_3") is None
    account.finish(Accepted(f"{account.name}_line_1"), used=500, cost=10)
    account.ledger.cancel(f"{account.name}_line_2", account.name)
    assert batches.feed(held, Place(2, 20), rest, words) == Fed(1)
    assert (money(account), account.counter("unfinished")) == ((10, 20), 0)
    counted = [account.counter(name) for name in ("requests", "day_requests", "day_tokens", "month_tokens")]
    assert counted == [0, 0, 0, 0], "of lines nothing but money is counted"


def test_lines_that_are_dropped_hold_nothing(account, held):
    """A batch that is cancelled gives back what was held for lines that nobody has begun."""
    words = budget_words(Tenant(account.name, quotas=TenantQuotas(daily_microusd=100)), "", TenantQuotas())
    assert account.ledger.batches.feed(held, START, lines_of(account, 40, 40), words) == Fed(2)
    account.ledger.claim(f"{account.name}_line_1", 1)
    assert account.ledger.batches.drop(held)
    assert money(account) == (0, 40)


def test_lines_and_requests_share_one_budget(account, held):
    """What a line holds no request gets, and the other way round."""
    budget = {"daily_microusd": 100}
    words = budget_words(Tenant(account.name, quotas=TenantQuotas(**budget)), "", TenantQuotas())
    job = account.submit(microusd=60, **budget)
    assert account.ledger.batches.feed(held, START, lines_of(account, 30, 30), words).count == 1
    assert account.submit(microusd=20, **budget).held == 90
    account.finish(job, cost=0)
    assert isinstance(account.submit(microusd=70, **budget), Accepted)
