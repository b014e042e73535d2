"""`model-router batch` beside the running product: what programs get in a pipe."""

import json
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT
from tests.support.batch import create, ended, entry, jsonl, upload
from tests.support.stack import KEY

pytestmark = pytest.mark.integration


@pytest.fixture
def command(stack):
    """Runs `model-router batch`; its output is a pipe."""

    def run(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "cli", "batch", *arguments],
            cwd=PROJECT_ROOT,
            env={**stack.environment, "MODEL_ROUTER_URL": stack.api.url, "MODEL_ROUTER_API_KEY": KEY},
            capture_output=True,
            timeout=60,
            check=False,
            **options,
        )

    return run


def test_a_batch_from_submit_to_results(command, tmp_path):
    """Submit and watch, then fetch both kinds of lines; what was completed ends with 0."""
    file, target = tmp_path / "lines.jsonl", tmp_path / "answers.jsonl"
    refused = entry(2, sandbox={"fault": "status", "status": 400})
    file.write_bytes(jsonl([entry(0), entry(1), refused]))
    done = command("submit", str(file), "--watch", "--window", "30m", "--metadata", "run=7")
    assert done.returncode == 0, done.stderr
    batch = json.loads(done.stdout)
    assert (batch["status"], batch["completion_window"], batch["metadata"]) == ("completed", "30m", {"run": "7"})
    fetched = command("results", batch["id"], "-o", str(target))
    assert fetched.returncode == 0, fetched.stderr
    assert {json.loads(line)["custom_id"] for line in target.read_text().splitlines()} == {"line-0", "line-1"}
    assert list(tmp_path.glob("*.part")) == []
    (failed,) = command("results", batch["id"], "--errors").stdout.splitlines()
    assert json.loads(failed)["custom_id"] == "line-2"
    listed = json.loads(command("status", "--limit", "1").stdout)
    assert [found["id"] for found in listed["data"]] == [batch["id"]]
    assert json.loads(command("status", batch["id"]).stdout) == batch


def test_lines_may_come_from_a_pipe(command):
    """And a batch that was never good ends with 1, and says why."""
    done = command("submit", "-", "--watch", input=b"no json\n")
    assert done.returncode == 1
    batch = json.loads(done.stdout)
    assert batch["status"] == "failed"
    assert batch["errors"]["data"][0]["code"] == "invalid_json_line"


def test_cancel_and_watch(stack, command):
    """A cancelled batch is watched to its end, which is not completed."""
    stack.sandbox.behave("*", latency_ms=500)
    batch = create(stack, input_file_id=upload(stack, jsonl(entry(number) for number in range(900))))
    assert command("cancel", batch["id"]).returncode == 0
    watched = command("watch", batch["id"])
    assert watched.returncode == 1
    assert json.loads(watched.stdout)["status"] == "cancelled"
    ended(stack, batch["id"])


def test_what_cannot_be_done_is_one_line(stack, command, tmp_path):
    """A window that is none leaves no file behind; a batch and a target that are not there."""
    file = tmp_path / "lines.jsonl"
    file.write_bytes(jsonl([entry(0)]))
    before = {found["id"] for found in stack.get("/v1/files").json()["data"]}
    for arguments, said in (
        (("submit", str(file), "--window", "soon"), b"completion_window"),
        (("submit", str(file), "--metadata", "odd"), b"NAME=TEXT"),
        (("submit", str(tmp_path / "none.jsonl")), b"No such file"),
        (("status", "batch_none"), b"no batch"),
        (("results", "batch_none"), b"no batch"),
    ):
        failed = command(*arguments)
        assert failed.returncode in (1, 2)
        assert said in failed.stderr, failed.stderr
        assert b"Traceback" not in failed.stderr
    assert {found["id"] for found in stack.get("/v1/files").json()["data"]} == before
