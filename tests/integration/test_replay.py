"""From jobs that really ran to what another policy would have made of them, by the commands the documents name."""

import json
import re
import stat
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT
from tests.support.process_node import wait_until
from tests.support.stack import KEY, Stack, chat, copy_configuration

pytestmark = [pytest.mark.integration, pytest.mark.alone("its trace holds durations that were measured")]
CANARY = "canary-5d1e"
CHEAP, DEAR = "groq", "hugging-face"
MODEL = "openai/gpt-oss-20b"
[COMMANDS] = re.findall(
    r"```sh\n(model-router export.*?)```", (PROJECT_ROOT / "docs" / "routing.md").read_text(), re.DOTALL
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A running product with a slow cheap provider and a fast dear one, behind one name."""
    folder = tmp_path_factory.mktemp("replay") / "config"
    copy_configuration(folder)
    providers = json.loads((folder / "providers.json").read_text())
    for name, price in ((CHEAP, 1), (DEAR, 9)):
        providers[name]["models"][MODEL]["price"] = {"input": price, "output": price}
    (folder / "providers.json").write_text(json.dumps(providers))
    (folder / "models.json").write_text(json.dumps({"either": [f"{CHEAP}/{MODEL}", f"{DEAR}/{MODEL}"]}))
    running = Stack((CHEAP, DEAR), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    running.sandbox.behave(CHEAP, latency_ms=250)
    running.sandbox.behave(DEAR, latency_ms=5)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def recorded(stack):
    """Forty jobs, routed to be fast once both providers were measured, and one that failed and one that runs on."""
    for name in (CHEAP, DEAR):
        assert stack.post(chat(CANARY, f"{name}/{MODEL}")).status_code == 200

    def both_measured():
        plan = stack.post(chat(model="either"), path="/v1/routing/plan").json()
        return all(row["estimates"]["evidence"] > 0 for row in plan["candidates"])

    wait_until(both_measured, what="the evidence of both providers")
    for number in range(40):
        wishes = {"order": [CANARY, CHEAP]} if number == 0 else {}
        body = chat(
            f"{CANARY} {number}",
            "either",
            routing_policy="performance-first",
            max_tokens=50,
            user=CANARY,
            metadata={"note": CANARY},
            provider=wishes,
        )
        assert stack.post(body, headers={"X-Request-Id": CANARY}).status_code == 200
    stack.sandbox.behave(DEAR, fault="status", status=400)
    assert stack.post(chat(CANARY, f"{DEAR}/{MODEL}")).status_code == 400
    stack.sandbox.behave(DEAR, latency_ms=5)
    return stack


@pytest.fixture
def shell(recorded, tmp_path):
    """Run shell lines as an operator would beside the running product."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "model-router"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{PROJECT_ROOT}" exec "{sys.executable}" -m cli "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    environment = {**recorded.environment, "PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(lines):
        return subprocess.run(
            ["sh", "-ec", lines],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    return run


def test_the_documents_commands_tell_the_cheaper_policy(shell):
    """A trace of fast answers, replayed to be cheap, costs less and takes longer; as it was, it is as it was."""
    ran = shell(COMMANDS.replace("--against balanced", "--against performance-first"))
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    was, cheap, same = found["results"]
    assert found["trace"]["jobs"] == was["jobs"] == cheap["jobs"] == same["jobs"] == 43
    assert found["trace"]["without_asked"] == 0
    assert (was["completed"], cheap["completed"], same["completed"]) == (42, 42, 42)
    assert was["share_per_provider"][DEAR] > 0.8
    assert cheap["cost_usd"] < was["cost_usd"] / 2
    assert cheap["latency_ms"]["p50"] > was["latency_ms"]["p50"]
    # At least the one measured beforehand by its own name stays where it was asked for.
    assert cheap["share_per_provider"][CHEAP] > 0.8
    assert cheap["share_per_provider"][DEAR] >= 0.0238
    assert same["share_per_provider"][DEAR] == pytest.approx(was["share_per_provider"][DEAR], abs=0.1)
    assert same["cost_usd"] == pytest.approx(was["cost_usd"], rel=0.15)
    assert same["rests_on"]["own"] > 0.8


def test_a_trace_has_no_text_and_no_key(shell):
    """What callers wrote, anywhere in their requests, and what they were answered is in no line."""
    lines = shell("model-router export").stdout.splitlines()
    assert len(lines) == 43
    for line in lines:
        assert CANARY not in line
        assert KEY not in line
        assert "message" not in line
    asked = [json.loads(line)["asked"] for line in lines]
    assert sum(row.get("order") == [CHEAP] for row in asked) == 1
    assert sum(row.get("max_tokens") == 50 for row in asked) == 40
    assert all(row["prompt_tokens"] > 0 for row in asked)


def test_the_options_choose_jobs(shell):
    """`--limit`, `--tenant` and `--since` leave jobs out."""
    counted = "model-router export {} | wc -l"
    assert shell(counted.format("--limit 5")).stdout.strip() == "5"
    assert shell(counted.format("--tenant nobody")).stdout.strip() == "0"
    assert shell(counted.format("--tenant default --since 1h")).stdout.strip() == "43"
    assert shell(counted.format("--since 2999-01-01")).stdout.strip() == "0"
