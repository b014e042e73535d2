"""`model-router jobs` beside the running product: what programs get in a pipe, and people on a terminal."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from cli.ports import free_port
from config.settings import PROJECT_ROOT
from tests.support.process_node import wait_until
from tests.support.stack import KEY, chat, ended_object
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.integration
OTHER = "hugging-face/openai/gpt-oss-20b"


@pytest.fixture
def command(stack):
    """Runs `model-router jobs`; its output is a pipe unless `options` say otherwise."""

    def run(*arguments, environment=None, **options):
        return subprocess.run(
            [sys.executable, "-m", "cli", "jobs", *arguments],
            cwd=PROJECT_ROOT,
            env={**stack.environment, "MODEL_ROUTER_URL": stack.api.url, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=40,
            check=False,
            **{"stdout": subprocess.PIPE, **options},
        )

    return lambda *arguments, environment=None, **options: run(
        *arguments, environment={"MODEL_ROUTER_API_KEY": KEY, **(environment or {})}, **options
    )


@pytest.fixture
def since(stack):
    """A moment after which only this test's jobs were accepted, as the command takes it."""
    seconds, microseconds = stack.redis.client.time()
    return f"{seconds}.{microseconds:06}"


def moment(since):
    return datetime.fromtimestamp(float(since), UTC).isoformat()


def failed_jobs(stack, count, **fields):
    """Ids of jobs that every provider failed, oldest first."""
    stack.sandbox.behave("*", fault="status", status=400)
    ids = [stack.post(chat(**fields)).headers["X-Job-Id"] for _ in range(count)]
    stack.sandbox.reset()
    return ids


def printed(done, status=0):
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def test_a_list_in_a_pipe_is_json(stack, command, since):
    """As the API gives it, narrowed by the options; `--limit` and `--all` say how many."""
    ids = [stack.post(chat()).headers["X-Job-Id"] for _ in range(3)]
    failed = failed_jobs(stack, 1)
    when = ("--since", moment(since))
    assert [job["id"] for job in printed(command("list", *when))["data"]] == [*ids, *failed][::-1]
    assert [job["id"] for job in printed(command("list", "--status", "failed", *when))["data"]] == failed
    two = printed(command("list", "--limit", "2", *when))
    assert (len(two["data"]), two["has_more"]) == (2, True)
    everything = printed(command("list", "--all", "--status", "completed", *when))
    assert ([job["id"] for job in everything["data"]], everything["has_more"]) == (ids[::-1], False)


def test_people_get_a_table_and_a_timeline(stack, command, since):
    """A line a job with what it failed of; of one job its attempts, each with provider, time and error."""
    [failed] = failed_jobs(stack, 1)
    lines, _ = on_a_terminal(command, "list", "--since", moment(since))
    assert lines[0].split()[:4] == ["id", "status", "model", "provider"]
    assert (lines[1].split()[:2], "provider_refused" in lines[1]) == ([failed, "failed"], True)
    lines, _ = on_a_terminal(command, "list", "--since", moment(since), columns="60")
    assert any(line.startswith(f"{failed} ") for line in lines), "an id is copied whole"
    lines, _ = on_a_terminal(command, "show", failed)
    [attempt] = [line for line in lines if line.startswith("+")]
    assert attempt.split()[2:5] == ["groq", "openai/gpt-oss-20b", "failed"]
    assert any(line.startswith("provider_refused: ") for line in lines)


def test_one_job_is_shown_as_the_api_has_it(stack, command):
    """`show` in a pipe is the job; of none there is one line."""
    job_id = stack.post(chat()).headers["X-Job-Id"]
    assert printed(command("show", job_id)) == stack.get(f"/v1/jobs/{job_id}").json()
    for wrong in (f"job_{'0' * 32}", "../models"):
        missing = command("show", wrong)
        assert (missing.returncode, missing.stdout, len(missing.stderr.splitlines())) == (1, "", 1)


def test_what_can_be_cancelled_is(stack, command):
    """One that has ended is told, and does not keep the others from it."""
    answered = stack.post(chat()).headers["X-Job-Id"]
    stack.sandbox.behave("*", latency_ms=10_000)
    running = stack.post(chat(background=True)).json()["id"]
    first, second = printed(command("cancel", answered, running), status=1)
    assert (first["id"], "has ended already" in first["error"]) == (answered, True)
    assert second == {"id": running, "status": "cancelled"}
    assert stack.get(f"/v1/jobs/{running}").json()["status"] == "cancelled"


def test_a_job_is_replayed_by_its_id(stack, command):
    """Each time anew, with what is to differ."""
    [failed] = failed_jobs(stack, 1)
    done = [printed(command("replay", failed, "--model", OTHER)) for _ in range(2)]
    names = [report["replayed"][0]["replayed_as"] for report in done]
    assert names[0] != names[1]
    assert ended_object(stack, names[0])["provider"] == "hugging-face"


def test_many_are_replayed_once(stack, command, since):
    """All that failed since then and nothing else; a dry run does nothing, a second run finds nothing left."""
    stack.post(chat())
    failed = failed_jobs(stack, 7)
    options = ("--status", "failed", "--since", moment(since), "--rate", "1000")
    before = stack.job_count()
    assert [job["id"] for job in printed(command("replay", *options, "--dry-run"))["data"]] == failed
    asked = command("replay", *options)
    assert (asked.returncode, "give --yes" in asked.stderr) == (2, True)
    assert stack.job_count() == before
    report = printed(command("replay", *options, "--yes"))
    assert [job["id"] for job in report["replayed"]] == failed
    assert {ended_object(stack, job["replayed_as"])["status"] for job in report["replayed"]} == {"completed"}
    again = printed(command("replay", *options, "--yes"))
    assert (again["replayed"], again["replayed_before"]) == ([], 7)
    assert stack.job_count() == before + 7


def test_a_broken_off_replay_goes_on_with_the_rest(stack, command, since):
    """What was replayed before it broke off is left out by the same command."""
    failed = failed_jobs(stack, 4)
    printed(command("replay", *failed[:2]))
    report = printed(command("replay", "--status", "failed", "--since", moment(since), "--yes"))
    assert [job["id"] for job in report["replayed"]] == failed[2:]
    assert report["replayed_before"] == 2


def test_a_killed_replay_goes_on_and_replays_nothing_twice(stack, since):
    """`kill -9` of the command in the middle: given again, each job has been replayed once."""
    failed = failed_jobs(stack, 8)
    before = stack.job_count()
    options = ("--status", "failed", "--since", moment(since), "--yes")
    command = [sys.executable, "-m", "cli", "jobs", "replay", *options]
    environment = {**stack.environment, "MODEL_ROUTER_API_KEY": KEY}
    with subprocess.Popen(
        [*command, "--rate", "4"], cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as killed:
        wait_until(lambda: stack.job_count() >= before + 2, what="two replays")
        killed.kill()
    made = stack.job_count() - before
    assert made < len(failed), "it was not killed in the middle"
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, check=True, timeout=40)
    assert len(json.loads(done.stdout)["replayed"]) >= len(failed) - made
    assert stack.job_count() == before + len(failed)
    assert all(stack.get(f"/v1/jobs/{name}").json()["replayed_as"] for name in failed)


def test_a_wish_that_nobody_can_fulfil_stops_a_replay_early(stack, command, since):
    """After some refusals in a row the rest is not tried, and the exit status tells of it."""
    failed = failed_jobs(stack, 8)
    options = ("--status", "failed", "--since", moment(since), "--yes", "--rate", "1000", "--model", "none-such")
    report = printed(command("replay", *options), status=1)
    assert [job["id"] for job in report["refused"]] == failed[:5]
    assert "does not exist" in report["refused"][0]["error"]
    assert report["stopped"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("list", "--status", "lost"), 2, "'lost' is not one of"),
        (("list", "--since", "soon"), 2, "how long ago"),
        (("replay",), 2, "give the ids of jobs, or --status"),
        (("replay", "job_1", "--status", "failed"), 2, "give the ids of jobs, or --status"),
        (("replay", "job_1", "--provider-json", "{"), 1, "--provider-json is not JSON"),
        (("list", "--api-key", "wrong"), 1, "give a key with --api-key"),
        (("list", "--url", f"http://127.0.0.1:{free_port()}"), 1, "`model-router up` starts it"),
        (("list", "--url", "nonsense"), 1, "is not the URL of an API"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(command, arguments, status, says):
    """A mistake, a wrong key, an API that is away: what to do about it, and nothing on stdout."""
    failed = command(*arguments)
    assert (failed.returncode, failed.stdout) == (status, "")
    assert says in failed.stderr
    if status == 1:
        assert len(failed.stderr.splitlines()) == 1
