"""Usage over HTTP and on the command line: whose it is, by what it is summed up, and that it agrees with the ledger."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import PROJECT_ROOT
from tests.support.batch import create, ended, entry
from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import ADMIN_KEY, KEY, chat
from tests.support.terminal import on_a_terminal
from workers.usage.figures import NAMES

pytestmark = pytest.mark.integration
GROQ, GEMINI = "groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash"
RIVAL = {"Authorization": "Bearer ak-rival"}
ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture
def fresh(stack):
    """The running product, in which nobody has used anything yet."""

    def forget():
        wait_until(lambda: stack.jobs_left() == 0, what="the end of the jobs")
        client = stack.redis.client
        for pattern in ("mr:usage*", "mr:job:*"):
            for key in client.scan_iter(pattern, count=1000):
                client.delete(key)

    forget()
    yield stack
    forget()


@pytest.fixture
def conformance(stack):
    return Conformance(stack.get("/openapi.json").json())


@pytest.fixture
def command(stack):
    """Runs `model-router usage`; its output is a pipe unless `options` say otherwise."""

    def run(*arguments, environment=None, **options):
        mine = {"MODEL_ROUTER_URL": stack.api.url, "MODEL_ROUTER_API_KEY": KEY, **(environment or {})}
        return subprocess.run(
            [sys.executable, "-m", "cli", "usage", *arguments],
            cwd=PROJECT_ROOT,
            env={**stack.environment, **mine},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=40,
            check=False,
            **{"stdout": subprocess.PIPE, **options},
        )

    return run


def today():
    return datetime.now(UTC).date()


def usage(stack, path="/v1/usage", **query):
    response = stack.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def key_of(stack, headers=None):
    """The id of the key that a request comes with."""
    job = stack.post(chat(), headers=headers).headers["X-Job-Id"]
    return stack.redis.client.hget(f"mr:job:{job}", "key")


def figures(**changes):
    return {**dict.fromkeys(NAMES, 0), **changes}


def named(row):
    return {name: row[name] for name in NAMES}


def test_an_answer_is_in_the_usage_when_it_is_there(fresh, conformance):
    """Requests, tokens and cost of an answer, by day unless asked otherwise; totals are the sum."""
    answer = fresh.post(chat()).json()
    response = fresh.get("/v1/usage")
    conformance.check(response)
    found = response.json()
    assert (found["start"], found["end"]) == (str(today() - timedelta(days=29)), str(today()))
    [row] = found["data"]
    assert row["day"] == str(today())
    cost = answer["routing_metadata"]["attempts"][0]["cost_microusd"]
    used = {name: answer["usage"][name] for name in ("prompt_tokens", "completion_tokens")}
    assert named(row) == named(found["totals"]) == figures(requests=1, cost_microusd=cost, **used)
    assert row["cost_usd"] == pytest.approx(cost / 1e6)


def test_usage_is_summed_up_as_asked(fresh, conformance):
    """By model, provider and key, in that order; what a failover spent in vain stands where it was spent."""
    fresh.post(chat(model=GROQ))
    fresh.post(chat(model=GEMINI))
    fresh.sandbox.behave("groq", fault="status", status=400)
    assert fresh.post(chat(model=GROQ)).status_code == 400
    response = fresh.get("/v1/usage?group_by=provider,model,key")
    conformance.check(response)
    rows = response.json()["data"]
    provider, _, model = GROQ.partition("/")
    assert [(row["provider"], row["model"]) for row in rows] == [tuple(GEMINI.split("/", 1)), (provider, model)]
    assert [(row["requests"], row["failed_requests"]) for row in rows] == [(1, 0), (1, 1)]
    assert len({row["key"] for row in rows}) == 1
    assert rows[0]["key"].startswith("key_")
    assert [row["model"] for row in usage(fresh, group_by="model")["data"]] == sorted([model, GEMINI.split("/", 1)[1]])


def test_a_tenant_sees_its_own_usage_only(fresh):
    """What one has used is nothing to another; the operator sees both."""
    own = key_of(fresh)
    assert fresh.get("/v1/usage", headers=RIVAL).json()["data"] == []
    rivals = key_of(fresh, RIVAL)
    assert {row["key"] for row in usage(fresh, group_by="key")["data"]} == {own}
    seen = fresh.get("/v1/usage?group_by=key&tenant=default", headers=RIVAL).json()
    assert [row["key"] for row in seen["data"]] == [rivals]
    whole = fresh.get("/admin/v1/usage?group_by=tenant,key", headers=ADMIN).json()
    assert [(row["tenant"], row["key"]) for row in whole["data"]] == [("default", own), ("rival", rivals)]
    assert whole["totals"]["requests"] == 2
    only = fresh.get("/admin/v1/usage?group_by=tenant&tenant=rival", headers=ADMIN).json()
    assert [row["tenant"] for row in only["data"]] == ["rival"]


def test_all_tenants_usage_is_the_operators(fresh, conformance):
    """No key: 401; a tenant's: 403."""
    for headers, status in ((ADMIN, 200), ({"Authorization": ""}, 401), (RIVAL, 403)):
        response = fresh.get("/admin/v1/usage", headers=headers)
        assert response.status_code == status
        conformance.check(response)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("start=yesterday", "start"),
        ("start=2026-02-30", "start"),
        ("start=2026-1-1", "start"),
        ("end=", "end"),
        ("start=2026-11-02&end=2026-11-01", "start"),
        ("start=2020-01-01&end=2026-01-01", "start"),
        ("end=9999-12-31", "end"),
        ("group_by=day,colour", "group_by"),
        ("group_by=", "group_by"),
        ("group_by=tenant", "group_by"),
        ("format=xml", "format"),
    ],
)
def test_what_cannot_be_answered_is_named(stack, conformance, query, param):
    """A day that is none, too many days, an unknown word: 400 with the parameter's name."""
    response = stack.get(f"/v1/usage?{query}")
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param
    conformance.check(response)


def test_400_days_can_be_asked_for(stack):
    """As long as usage is kept."""
    start = today() - timedelta(days=399)
    assert usage(stack, start=str(start))["start"] == str(start)
    assert stack.get("/v1/usage", params={"start": str(start - timedelta(days=1))}).status_code == 400


@pytest.mark.parametrize("ask", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_csv_says_what_json_says(fresh, conformance, ask):
    """With a line of names first, as a file to keep."""
    fresh.post(chat())
    expected = usage(fresh)["data"]
    response = fresh.get("/v1/usage", **ask)
    conformance.check(response)
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [{**row, "cost_usd": float(row["cost_usd"])} for row in rows] == [
        {name: value if name == "cost_usd" else str(value) for name, value in row.items()} for row in expected
    ]


def test_the_command_shows_what_the_api_says(fresh, command):
    """JSON and CSV in a pipe, a table on a terminal, and all tenants with the admin key."""
    fresh.post(chat())
    fresh.post(chat(), headers=RIVAL)
    shown = json.loads(command("show", "--by", "day,model").stdout)
    assert shown == usage(fresh, group_by="day,model")
    assert command("show", "--csv").stdout.splitlines()[0].startswith("day,requests,")
    lines, done = on_a_terminal(command, "show", "--by", "provider")
    assert done.returncode == 0
    assert [line.split()[:2] for line in lines if line.strip()][1:] == [["groq", "1"], ["total", "1"]]
    everyone = json.loads(command("show", "--all-tenants", "--by", "tenant").stdout)
    assert [row["tenant"] for row in everyone["data"]] == ["default", "rival"]
    refused = command("show", "--all-tenants", environment={"MODEL_ROUTER_ADMIN_KEY": ""})
    assert refused.returncode == 1
    assert "MODEL_ROUTER_ADMIN_KEY" in refused.stderr
    assert command("show", "--by", "colour").returncode == 1


def test_what_was_counted_is_what_the_ledger_says(fresh, command):
    """Answers, streams, failures, a cancelled job, a batch, a deleted response: all agrees; what is spoilt is found."""
    fresh.post(chat())
    fresh.post(chat(stream=True), stream=True).close()
    response = fresh.post({"model": GROQ, "input": "x"}, path="/v1/responses").json()
    assert fresh.session.delete(f"{fresh.api.url}/v1/responses/{response['id']}").status_code == 200
    lines = [entry(number) for number in range(20)]
    lines.append(entry(20, sandbox={"fault": "status", "status": 400}))
    batch = ended(fresh, create(fresh, requests=lines)["id"])
    assert batch["request_counts"] == {"total": 21, "completed": 20, "failed": 1}
    fresh.sandbox.behave("*", latency_ms=5000)
    job = fresh.post(chat(background=True)).json()["id"]
    assert fresh.post(path=f"/v1/jobs/{job}/cancel").status_code == 200
    wait_until(lambda: fresh.jobs_left() == 0, what="the end of the jobs")
    done = command("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["days"] == [str(today())]
    [account] = found["compared"]
    assert (account["counted"]["failed_requests"], account["counted"]["requests"] >= 22) == (1, True)
    fresh.redis.client.hincrby(f"mr:usage:default:{today()}", "requests", 3)
    different = command("reconcile")
    assert different.returncode == 1
    [difference] = json.loads(different.stdout)["differences"]
    assert difference["totals"]["requests"] == -3
    lines, done = on_a_terminal(command, "reconcile")
    assert done.returncode == 1
    assert any("requests -3" in line for line in lines)
    assert command("reconcile", "--fix").returncode == 0
    assert command("reconcile").returncode == 0
