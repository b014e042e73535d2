"""`model-router replay` on files: figures side by side, and one line for whatever cannot be used."""

import json
import os
import pty
import subprocess
import sys
from random import Random

import pytest

from tests.cli.conftest import ROOT
from tests.support.traces import Site, jobs

SITES = {"cheap": Site("1", 300), "dear": Site("9", 50)}


@pytest.fixture
def lines():
    """A trace of 200 jobs, in no order, as an export is."""
    made = [job.to_line() for job in jobs(SITES, 200)]
    Random(1).shuffle(made)
    return made


@pytest.fixture
def trace(tmp_path):
    """Write lines to a trace, and give its path."""

    def write(lines, name="trace.jsonl"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    return write


def test_json_in_a_pipe(run, trace, lines):
    """What was recorded and both policies stand side by side, and a policy's name may be spelt either way."""
    ran = run("replay", trace(lines), "--policy", "cost_optimized", "--against", "performance-first")
    assert (ran.returncode, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert found["trace"]["jobs"] == 200
    recorded, cheap, quick = found["results"]
    assert [recorded["name"], cheap["name"], quick["name"]] == ["recorded", "cost-optimized", "performance-first"]
    assert cheap["cost_usd"] < recorded["cost_usd"] < quick["cost_usd"]
    assert quick["latency_ms"]["p50"] < cheap["latency_ms"]["p50"]
    assert cheap["share_per_provider"]["cheap"] > 0.85
    assert cheap["success_rate"] == 1.0
    assert "rests_on" not in recorded
    assert (
        run("replay", trace(lines), "--policy", "cost-optimized", "--against", "performance-first").stdout == ran.stdout
    )


def test_a_trace_may_come_down_a_pipe(environment, lines):
    """`-` reads stdin."""
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "replay", "-", "--policy", "balanced"],
        cwd=ROOT,
        env=environment,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert json.loads(ran.stdout)["results"][1]["jobs"] == 200


def test_a_table_on_a_terminal(environment, trace, lines):
    """People get a column for each, with units."""
    leader, follower = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "cli", "replay", trace(lines), "--policy", "cost-optimized"],
            cwd=ROOT,
            env=environment,
            stdout=follower,
            timeout=30,
            check=True,
        )
        shown = os.read(leader, 65536).decode().splitlines()
    finally:
        os.close(leader)
        os.close(follower)
    assert shown[0].startswith("200 jobs, 2023-11-14T22:13:20+00:00 to ")
    assert shown[2].split() == ["recorded", "cost-optimized"]
    rows = {line[:25].split("  ")[0].strip(): line.split() for line in shown[3:]}
    assert rows["success rate"][-2:] == ["100.00%", "100.00%"]
    assert rows["cost"][-1].startswith("$0.")
    assert rows["p95 in calls"][-1] == "ms"
    assert float(rows["answers of cheap"][-1].removesuffix("%")) > 85


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ({"mine": {"strategy": "balanced", "weights": {"cost": 1, "latency": 0, "uptime": 0}}}, "mine"),
        ({"strategy": "cost-optimized"}, "try"),
    ],
)
def test_a_policy_of_ones_own(run, trace, lines, tmp_path, policy, name):
    """A file holds one policy, by name as in routing.json or alone."""
    path = tmp_path / "try.json"
    path.write_text(json.dumps(policy))
    found = json.loads(run("replay", trace(lines), "--policy", str(path)).stdout)
    assert found["results"][1]["name"] == name
    assert found["results"][1]["share_per_provider"]["cheap"] > 0.85


def test_repeated_and_cancelled_jobs_do_not_count(run, trace, lines):
    """Overlapping exports may be put together, and what its caller cancelled is left out and told."""
    cancelled = json.dumps({**json.loads(lines[0]), "id": "job_gone", "status": "cancelled"})
    found = json.loads(run("replay", trace([*lines, *lines[:20], cancelled, ""]), "--policy", "balanced").stdout)
    assert found["trace"]["jobs"] == found["results"][0]["jobs"] == found["results"][1]["jobs"] == 200
    assert found["trace"]["left_out"] == {"repeated": 20, "cancelled": 1}


GOOD = json.loads(next(jobs(SITES, 1)).to_line())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "the trace is empty"),
        ([""], "the trace is empty"),
        (["{"], ":1: expected JSON"),
        ([json.dumps(GOOD), "[" * 100_000], ":2: expected JSON"),
        ([json.dumps(GOOD), "[]"], ":2: expected a JSON object"),
        ([json.dumps(GOOD), json.dumps({**GOOD, "v": 2})], ":2: v: this is version 2, and only version 1"),
        ([json.dumps({**GOOD, "status": "queued"})], ":1: status: expected one of completed"),
        ([json.dumps({**GOOD, "attempts": [{**GOOD["attempts"][0], "duration_ms": -1}]})], ":1: duration_ms: expected"),
        ([json.dumps({**GOOD, "attempts": []})], "no call to a provider"),
        ([json.dumps({**GOOD, "status": "cancelled"})], "cancelled every job"),
    ],
)
def test_a_broken_trace_is_one_line(run, trace, content, says):
    """Whatever is wrong with a trace is told with its line, and the exit status is 2."""
    refused = run("replay", trace(content), "--policy", "balanced")
    assert refused.returncode == 2
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("balanced-ish", "did you mean 'balanced'?"),
        ("nowhere.json", "the file is missing"),
        ({"strategy": "wild"}, "strategy: unknown strategy"),
        ({"mine": {"weights": {"cost": 1, "latency": 1, "uptime": 1}, "strategy": "balanced"}}, "sum to 1"),
        ({}, "strategy: missing"),
        ([], "expected a JSON object"),
    ],
)
def test_a_policy_nobody_knows_is_one_line(run, trace, lines, tmp_path, policy, says):
    """An unknown name and a broken file are told with what was expected, and the exit status is 2."""
    given = policy
    if not isinstance(policy, str):
        given = str(tmp_path / "policy.json")
        (tmp_path / "policy.json").write_text(json.dumps(policy))
    refused = run("replay", trace(lines), "--policy", given)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_trace_that_is_not_there(run, tmp_path):
    """A file that is missing, and one that is a folder, are one line."""
    for path in (tmp_path / "none.jsonl", tmp_path):
        refused = run("replay", str(path), "--policy", "balanced")
        assert refused.returncode == 2
        assert len(refused.stderr.splitlines()) == 1


def test_an_export_without_redis_is_one_line(run):
    """Where Redis is away, `export` says so."""
    failed = run("export", REDIS_URL="redis://127.0.0.1:9/0")
    assert failed.returncode == 1
    assert "Redis is not available" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_a_time_nobody_can_read_is_refused(run):
    """`--since` says what it takes."""
    refused = run("export", "--since", "yesterday", REDIS_URL="redis://127.0.0.1:9/0")
    assert refused.returncode == 2
    assert "expected how long ago" in refused.stderr
