"""A caller's wishes and the plan they lead to, through the API, the workers and the command line."""

import json
import os
import pty
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT
from tests.support.process_node import wait_until
from tests.support.stack import chat, ended_object

pytestmark = pytest.mark.integration
ALIAS = "gpt-3.5-turbo"
PLAN = "/v1/routing/plan"
ESTIMATES = {
    *("cost_microusd", "latency_ms", "ttft_ms", "tokens_per_s", "spread_ms", "queue_wait_ms", "uptime", "evidence"),
}


def providers(plan):
    return [candidate["provider"] for candidate in plan["candidates"]]


def test_a_dry_run_explains_and_leaves_nothing(stack):
    """Candidates in order with scores, parts and estimates; exclusions with reasons; no job and no call."""
    before = stack.job_count()
    response = stack.post(chat(model="gpt-4o-mini", max_tokens=50, provider={"order": ["google-gemini"]}), path=PLAN)
    assert response.status_code == 200, response.text
    plan = response.json()
    assert plan["policy"] == "balanced"
    assert providers(plan)[0] == "google-gemini"
    assert set(providers(plan)) == {"groq", "google-gemini", "hugging-face"}
    for candidate in plan["candidates"]:
        assert candidate.keys() == {"provider", "model", "score", "parts", "tier", "estimates"}
        assert candidate["parts"].keys() == {"cost", "latency", "uptime"}
        assert candidate["estimates"].keys() == ESTIMATES
        assert candidate["estimates"]["cost_microusd"] > 0
        assert 0 < candidate["score"] <= 1
    left = {(entry["provider"], entry["model"]): entry["reason"] for entry in plan["exclusions"]}
    assert left["anthropic", "claude-haiku-4-5"] == "not among the tenant's providers"
    assert stack.job_count() == before
    assert stack.sandbox.calls()["total"] == 0


def test_a_dry_run_tells_what_was_measured(stack):
    """Recorded calls show in the estimates of the deployment they went to."""
    stack.post(chat())

    def measured():
        [candidate] = stack.post(chat(), path=PLAN).json()["candidates"]
        return candidate["estimates"] if candidate["estimates"]["evidence"] > 0 else None

    estimates = wait_until(measured, what="the recorded call")
    assert 0 < estimates["ttft_ms"] <= estimates["latency_ms"]
    assert estimates["tokens_per_s"] > 0
    assert estimates["spread_ms"] > 0
    assert estimates["queue_wait_ms"] == 0
    assert 0 < estimates["uptime"] <= 1


@pytest.mark.parametrize("path", [PLAN, "/v1/chat/completions"])
def test_wishes_that_leave_nobody_are_400_with_each_reason(stack, path):
    """Whether asked in earnest or not, the answer lists every deployment with its reason."""
    before = stack.job_count()
    response = stack.post(chat(model=ALIAS, provider={"only": ["groq"], "data_collection": "deny"}), path=path)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("no_candidates", "provider")
    assert "groq/openai/gpt-oss-20b: does not say whether it collects data" in error["message"]
    assert "google-gemini/gemini-2.5-flash: not in provider.only" in error["message"]
    assert stack.job_count() == before


def test_order_is_who_answers(stack):
    """The caller's order decides who is called, and who is called next."""
    stack.sandbox.behave("hugging-face", fault="status", status=401)
    response = stack.post(chat(model=ALIAS, provider={"order": ["hugging-face", "google-gemini"]}))
    assert response.status_code == 200, response.text
    attempts = response.json()["routing_metadata"]["attempts"]
    assert [attempt["provider"] for attempt in attempts] == ["hugging-face", "google-gemini"]


@pytest.mark.parametrize("wishes", [{"order": ["groq"]}, {"only": ["groq"]}])
def test_no_fallbacks_stop_the_failover(stack, wishes):
    """With allow_fallbacks false a failing provider is the end, and no other is called."""
    stack.sandbox.behave("groq", fault="status", status=401)
    response = stack.post(chat(model=ALIAS, provider={**wishes, "allow_fallbacks": False}))
    assert response.status_code == 502
    assert stack.sandbox.calls()["by_provider"].keys() == {"groq"}


def test_a_job_keeps_the_plan_it_was_routed_by(stack):
    """A job shows its candidates in order with scores, and who was left out and why."""
    body = chat(model=f"{ALIAS}:floor", background=True, provider={"ignore": ["google-gemini"]})
    job = ended_object(stack, stack.post(body).json()["id"])
    assert job["status"] == "completed"
    assert job["model"] == f"{ALIAS}:floor"
    assert job["plan"]["policy"] == "balanced"
    assert providers(job["plan"]) == ["groq", "hugging-face"]
    assert all(0 < candidate["score"] <= 1 for candidate in job["plan"]["candidates"])
    assert job["plan"]["exclusions"] == [
        {"provider": "google-gemini", "model": "gemini-2.5-flash", "reason": "in provider.ignore"}
    ]
    assert job["response"]["model"] == "openai/gpt-oss-20b"


def test_unknown_wishes_pass(stack):
    """A field of `provider` that nobody knows is ignored, and prices may be strings, as OpenRouter takes them."""
    wishes = {"experimental": {"x": 1}, "max_price": {"prompt": "5", "audio": 1}, "order": None, "zdr": False}
    assert stack.post(chat(provider=wishes)).status_code == 200


def run_plan(stack, *arguments, **options):
    """`model-router plan` beside the running stack."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "plan", *arguments],
        cwd=PROJECT_ROOT,
        env=stack.environment,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
        **{"stdout": subprocess.PIPE, **options},
    )


def test_the_command_prints_json_in_a_pipe(stack):
    """What the API answers, with the demonstration's key, policy and wishes as given."""
    wishes = json.dumps({"order": ["hugging-face"], "ignore": ["groq"]})
    shown = run_plan(stack, "--model", "fast", "--policy", "cost-optimized", "--provider-json", wishes, "Hello there")
    assert shown.returncode == 0, shown.stderr
    plan = json.loads(shown.stdout)
    assert plan["policy"] == "cost-optimized"
    assert providers(plan) == ["hugging-face", "google-gemini"]


def test_the_command_prints_a_table_on_a_terminal(stack):
    """People get a line per candidate in order, and one per exclusion with its reason."""
    leader, follower = pty.openpty()
    try:
        run_plan(stack, "--model", "fast", "--provider-json", '{"ignore": ["groq"]}', stdout=follower)
        lines = os.read(leader, 65536).decode().splitlines()
    finally:
        os.close(leader)
        os.close(follower)
    assert lines[0] == "policy balanced"
    assert lines[2].split()[:2] == ["provider", "model"]
    assert "in queue  first token  tokens/s" in lines[2]
    assert {line.split()[1] for line in lines if line[:1] in ("1", "2")} == {"google-gemini", "hugging-face"}
    assert any("groq/openai/gpt-oss-20b" in line and line.endswith("in provider.ignore") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model", "fats"), "does not exist; did you mean"),
        (("--model", "fast", "--provider-json", '{"only": ["nobody"]}'), "not in provider.only"),
        (("--model", "fast", "--provider-json", "{"), "--provider-json is not JSON"),
        (("--model", "fast", "--provider-json", '{"sort": 5}'), "provider.sort"),
        (("--model", "fast", "--key", "wrong"), "not known here"),
    ],
)
def test_the_command_fails_with_one_line(stack, arguments, says):
    """A refusal is told in the API's own words, with exit status 1."""
    failed = run_plan(stack, *arguments)
    assert failed.returncode == 1
    assert says in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert failed.stdout == ""
