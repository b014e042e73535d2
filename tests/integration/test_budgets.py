"""Budgets over HTTP, in batches and in webhooks: who is let through, what a refusal says, and who is told."""

import json

import pytest

from tests.support.batch import CHAT, ended, lines_of
from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import chat
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration


@pytest.fixture
def ask(stack):
    """Sends a request as a tenant that has spent nothing yet."""
    client = stack.redis.client

    def forget():
        for key in client.scan_iter("mr:limits:*"):
            client.delete(key)

    forget()
    yield lambda tenant, body, **options: stack.post(body, headers=as_tenant(tenant), **options)
    wait_until(lambda: stack.jobs_left() == 0, what="the end of the jobs")
    forget()


def as_tenant(tenant):
    return {"Authorization": f"Bearer ak-{tenant}"}


def money(stack, tenant):
    """What is spent and held of the day's budget, micro-dollars."""
    kept = stack.redis.client.hget(f"mr:limits:tenant:{tenant}", "used").split()
    return int(kept[8]), int(kept[9])


def test_what_is_held_for_jobs_under_way_refuses_for_the_moment(stack, ask):
    """An honest 429 that may be tried again; when the jobs are cancelled all of it is there again."""
    stack.sandbox.behave("groq", latency_ms=60_000)
    placed = [ask("thrifty", chat(max_tokens=1000, background=True)) for _ in range(4)]
    assert [answer.status_code for answer in placed] == [202, 202, 202, 429]
    refused = placed[-1]
    Conformance(stack.get("/openapi.json").json()).check(refused)
    error = refused.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("insufficient_quota", "insufficient_quota", None)
    assert error["message"].startswith("daily_usd: 0.001 USD a day may be spent, 0 are spent and 0.0009")
    assert "this request is taken to cost up to 0.0003" in error["message"]
    assert (refused.headers["Retry-After"], refused.headers.get("X-Should-Retry")) == ("2", None)
    for answer in placed[:3]:
        stack.post(path=f"/v1/jobs/{answer.json()['id']}/cancel", headers=as_tenant("thrifty"))
    assert money(stack, "thrifty") == (0, 0)
    stack.sandbox.reset()
    answer = ask("thrifty", chat(max_tokens=1000))
    cost = answer.json()["routing_metadata"]["attempts"][0]["cost_microusd"]
    assert money(stack, "thrifty") == (cost, 0)
    assert cost > 0


def test_limits_can_be_looked_at(stack, ask):
    """Those of the caller, with what is used and held; to look counts for nothing, and who has none gets none."""

    def look(tenant):
        told = stack.get("/v1/limits", headers=as_tenant(tenant))
        Conformance(stack.get("/openapi.json").json()).check(told)
        return {limit["name"]: limit for limit in told.json()["data"]}

    assert look("rival") == {}
    fresh = {"limit": 0.001, "used": 0, "held": 0, "remaining": 0.001, "reset_s": 0}
    assert look("thrifty") == {"daily_usd": {"object": "limit", "scope": "tenant", "name": "daily_usd", **fresh}}
    stack.sandbox.behave("groq", latency_ms=60_000)
    job = ask("thrifty", chat(max_tokens=1000, background=True)).json()["id"]
    held = look("thrifty")["daily_usd"]
    assert held["used"] == held["held"] == pytest.approx(0.001 - held["remaining"])
    assert held["used"] >= 0.0003
    assert 0 < held["reset_s"] <= 86_400
    stack.post(path=f"/v1/jobs/{job}/cancel", headers=as_tenant("thrifty"))
    assert look("thrifty")["daily_usd"]["used"] == 0
    stack.sandbox.reset()
    ask("metered", chat())
    told = look("metered")
    assert told.keys() == {"rate_limit_per_minute", "tokens_per_minute"}
    assert [told["rate_limit_per_minute"][name] for name in ("limit", "used", "remaining")] == [3, 1, 2]


def test_what_a_stream_used_before_it_broke_off_is_spent(stack, ask):
    """The job has failed, and what was made of its answer is paid for all the same; the rest is there again."""
    stack.sandbox.behave("groq", fault="cut", tokens_per_s=100, text="word " * 40)
    broken = ask("thrifty", chat(max_tokens=1000, stream=True))
    assert "stream_interrupted" in broken.text
    job = stack.get(f"/v1/jobs/{broken.headers['X-Job-Id']}", headers=as_tenant("thrifty")).json()
    cost = sum(attempt.get("cost_microusd", 0) for attempt in job["attempts"])
    assert (job["status"], money(stack, "thrifty")) == ("failed", (cost, 0))
    assert cost > 0


def test_what_a_cancelled_stream_used_is_spent(stack, ask):
    """When its worker tells of it; what was held for it is there again at once."""
    stack.sandbox.behave("groq", tokens_per_s=100, text="word " * 900)
    job = ask("thrifty", chat(max_tokens=1000, stream=True, background=True)).json()["id"]
    wait_until(lambda: stack.redis.client.llen(f"mr:stream:{job}") > 20, what="a part of the answer")
    assert stack.post(path=f"/v1/jobs/{job}/cancel", headers=as_tenant("thrifty")).ok
    assert money(stack, "thrifty")[1] == 0
    wait_until(lambda: money(stack, "thrifty")[0] > 0, what="what it has spent")
    (attempt,) = stack.get(f"/v1/jobs/{job}", headers=as_tenant("thrifty")).json()["attempts"]
    assert money(stack, "thrifty") == (attempt["cost_microusd"], 0)


def test_a_request_that_is_too_dear_is_never_taken(ask):
    """It is told what it would cost, and not to come again."""
    refused = ask("poor", chat(max_tokens=100_000))
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")
    assert "daily_usd: 0.00005 USD a day may be spent, and this request is taken to cost" in refused.text
    assert refused.headers["X-Should-Retry"] == "false"


def test_a_spent_budget_says_so_and_its_tenant_is_told(stack, ask):
    """Once of the warning and once of the end, with whose budget it is."""
    with WebhookReceiver() as receiver:
        wanted = {"url": receiver.url, "events": ["budget.warning", "budget.exhausted"]}
        made = stack.post(wanted, path="/v1/webhooks/endpoints", headers=as_tenant("poor")).json()["id"]
        answers = [ask("poor", chat(max_tokens=20)) for _ in range(40)]
        codes = [answer.status_code for answer in answers]
        assert sorted(codes) == codes
        assert {200, 429} == set(codes)
        error = answers[-1].json()["error"]
        assert error["code"] == "insufficient_quota"
        assert "the next day begins in" in error["message"]
        assert answers[-1].headers["X-Should-Retry"] == "false"
        spent, held = money(stack, "poor")
        assert (spent <= 50, held) == (True, 0)
        wait_until(lambda: len(receiver.received) == 2, what="both events")
        told = {body["type"]: body["data"] for body in (json.loads(body) for _, body in receiver.received)}
        stack.session.delete(f"{stack.api.url}/v1/webhooks/endpoints/{made}", headers=as_tenant("poor"))
    assert told.keys() == {"budget.warning", "budget.exhausted"}
    data = told["budget.exhausted"]
    assert (data["scope"], data["key"], data["period"], data["limit_usd"]) == ("tenant", None, "day", 0.00005)
    assert data["spent_usd"] == spent / 1e6
    log = stack.get("/v1/webhooks/deliveries", headers=as_tenant("poor")).json()["data"]
    assert {delivery["status"] for delivery in log if delivery["event"].startswith("budget.")} == {"delivered"}


def start_batch(stack, tenant, count, **fields):
    lines = [{"custom_id": f"line-{n}", "body": chat(f"line {n}", **fields)} for n in range(count)]
    body = {"endpoint": CHAT, "completion_window": "24h", "requests": lines}
    return stack.post(body, path="/v1/batches", headers=as_tenant(tenant)).json()["id"]


@pytest.fixture
def owned_by(stack):
    """The stack as one of its tenants sees it."""
    session = stack.session.headers["Authorization"]

    def become(tenant):
        stack.session.headers.update(as_tenant(tenant))
        return stack

    yield become
    stack.session.headers["Authorization"] = session


@pytest.mark.usefixtures("ask")
def test_lines_go_on_as_money_comes_back(stack, owned_by):
    """No more at a time than the budget holds; every line is answered, and none counts as a request of the day."""
    batch = start_batch(stack, "thrifty", 12, max_tokens=1000)
    whole = ended(owned_by("thrifty"), batch)
    assert (whole["status"], whole["request_counts"]["completed"]) == ("completed", 12)
    spent, held = money(stack, "thrifty")
    assert (0 < spent < 1000, held) == (True, 0)
    assert stack.redis.client.hget("mr:limits:tenant:thrifty", "used").split()[6] == "0"


@pytest.mark.usefixtures("ask")
def test_lines_wait_for_money_until_their_window_ends(stack, owned_by):
    """None is refused and none lost: what there was money for is answered, the rest expires with the batch."""
    batch = start_batch(stack, "poor", 40, max_tokens=20)

    def waits():
        shown = owned_by("poor").get(f"/v1/batches/{batch}").json()
        return shown["request_counts"]["completed"] and stack.jobs_left() == 0 and money(stack, "poor")[0] > 40

    wait_until(waits, what="the end of the money")
    assert owned_by("poor").get(f"/v1/batches/{batch}").json()["status"] == "in_progress"
    stack.redis.client.hincrby(f"mr:batch:{batch}", "deadline", -86_400_000)
    # Its worker has read the deadline; another takes it with the one that is kept.
    stack.redis.client.hincrby(f"mr:batch:{batch}", "epoch", 1)
    stack.redis.client.zadd("mr:batch_schedule", {batch: 0})
    whole = ended(stack, batch)
    assert whole["status"] == "expired"
    done, late = (lines_of(stack, whole[name]) for name in ("output_file_id", "error_file_id"))
    assert {line["error"]["code"] for line in late} == {"batch_expired"}
    assert len({line["custom_id"] for line in done + late}) == 40
    assert len(done) == whole["request_counts"]["completed"] > 0


@pytest.mark.usefixtures("ask")
def test_a_line_over_the_whole_budget_is_told(stack, owned_by):
    """It could wait for ever; the lines after it are run."""
    lines = [{"custom_id": f"line-{n}", "body": chat(max_tokens=tokens)} for n, tokens in enumerate((100_000, 20))]
    body = {"endpoint": CHAT, "completion_window": "24h", "requests": lines}
    batch = stack.post(body, path="/v1/batches", headers=as_tenant("poor")).json()["id"]
    whole = ended(owned_by("poor"), batch)
    assert whole["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
    (line,) = lines_of(stack, whole["error_file_id"])
    assert line["response"]["body"]["error"]["code"] == "insufficient_quota"
