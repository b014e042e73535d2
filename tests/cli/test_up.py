"""`model-router up`, whole: real Redis, real workers, the sandbox, and a first completion through the queue."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cli.probe import complete
from config.settings import PROJECT_ROOT
from tests.support.guard import guard

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Stack:
    """A running `up`, its output in a file."""

    def __init__(self, environment, output, *arguments):
        self.environment = environment
        self.home = Path(environment["MODEL_ROUTER_HOME"])
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up", *arguments],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Killed, it leaves nothing behind: that is one of the claims.
        guard().watch(self.process.pid)

    @property
    def output(self):
        """What it printed so far."""
        return self._output.read_text()

    @property
    def url(self):
        """Its API's root."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def up(self):
        """Whether it stays up now; fails where it has ended."""
        assert self.process.poll() is None, self.output
        return "Ctrl-C stops it." in self.output

    def members(self):
        """The pids of every process that was started for this HOME and still runs."""
        mark = f"MODEL_ROUTER_HOME={self.home}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def stop(self, number=signal.SIGINT):
        """Tell it to stop; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def start(environment, tmp_path, wait_until):
    """Start a stack on free ports; whatever is left of it at the end is killed."""
    stacks = []

    def begin(home, ports, *arguments, wait=True, **variables):
        settings = {**environment, **ports, **variables, "MODEL_ROUTER_HOME": str(tmp_path / home)}
        stack = Stack(settings, tmp_path / f"output-{len(stacks)}", *arguments)
        stacks.append(stack)
        if wait:
            wait_until(stack.up, timeout_s=90, what="the first answer")
        return stack

    yield begin
    for stack in stacks:
        if stack.process.poll() is None:
            stack.process.kill()
            stack.process.wait()
        guard().forget(stack.process.pid)
        for pid in stack.members():
            os.kill(pid, signal.SIGKILL)


def test_a_first_start_answers_and_a_second_finds_its_data(start, free_ports):
    """The first completion is printed with its route; Ctrl-C leaves no process; the job is there after a restart."""
    first = start("home", free_ports)
    assert "The first completion, through the queue:" in first.output
    line = re.compile(r"^  (\S+) · (\S+) · 1 attempt · queue \d+ ms · total \d+ ms$", re.MULTILINE)
    job, route = line.search(first.output).groups()
    assert route.split("/")[0] in ("groq", "google-gemini", "hugging-face", "anthropic")
    assert "Bearer ak-demo123" in first.output
    assert first.stop(signal.SIGINT) == 0
    assert first.members() == []

    second = start("home", free_ports)
    request = urllib.request.Request(f"{second.url}/v1/jobs/{job}", headers={"Authorization": "Bearer ak-demo123"})
    with urllib.request.urlopen(request, timeout=10) as response:
        assert json.load(response)["status"] == "completed"
    assert second.stop(signal.SIGTERM) == 0
    assert second.members() == []


def test_two_stacks_side_by_side(start, free_ports, second_ports, wait_until):
    """Other ports and another HOME make another stack; neither hinders the other."""
    one = start("a home", free_ports, wait=False)
    two = start("another home", second_ports, wait=False)
    wait_until(lambda: one.up() and two.up(), timeout_s=120, what="both first answers")
    assert one.stop() == 0
    answer = complete(two.url, "ak-demo123", timeout_s=30)
    assert answer.error is None
    assert two.stop() == 0
    assert one.members() == two.members() == []


def test_a_killed_supervisor_leaves_no_orphan_and_can_be_started_again(start, run, free_ports, wait_until):
    """After kill -9 of `up` its processes end by themselves, and the stale lock stops nobody."""
    killed = start("home", free_ports)
    assert len(killed.members()) >= 8
    killed.process.kill()
    killed.process.wait()
    refused = run("up", **free_ports)
    assert "or is still ending" in refused.stderr
    wait_until(lambda: killed.members() == [], timeout_s=45, what="the processes' end")
    again = start("home", free_ports)
    assert again.stop() == 0


def test_a_killed_worker_is_replaced(start, free_ports, wait_until):
    """The stack serves on after kill -9 of a worker, and says which log to read."""
    stack = start("home", free_ports)
    worker = next(pid for pid in stack.members() if b"provider.groq" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: "worker-groq died (killed by SIGKILL)" in stack.output, what="the line about it")
    wait_until(lambda: stack.output.count("worker-groq   ") == 2, timeout_s=30, what="its successor")
    assert complete(stack.url, "ak-demo123", timeout_s=30).error is None
    assert stack.stop() == 0
    assert stack.members() == []


def test_for_ci_it_exits_after_the_answer(start, free_ports):
    """With --exit-after-probe it prints the answer, stops everything and exits 0."""
    stack = start("home", free_ports, "--exit-after-probe", wait=False)
    assert stack.process.wait(90) == 0, stack.output
    assert "The first completion, through the queue:" in stack.output
    assert stack.members() == []


@pytest.mark.parametrize("variable", ["PORT", "FLOWER_PORT", "MODEL_ROUTER_SANDBOX_PORT"])
def test_a_port_in_use_is_one_line_and_starts_nothing(run, free_ports, environment, variable):
    """The variable to change is named, and there is no Redis yet."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("up", **{**free_ports, variable: port})
    assert refused.returncode == 1
    assert len((refused.stdout + refused.stderr).splitlines()) == 1
    assert f"port {port} on 127.0.0.1 is in use: set {variable} to a free one" in refused.stderr
    assert not (Path(environment["MODEL_ROUTER_HOME"]) / "redis").exists()


def test_a_second_up_on_one_home_is_one_line(start, run, free_ports, second_ports):
    """Two stacks never share a HOME."""
    stack = start("home", free_ports, "--no-probe")
    refused = run("up", **second_ports)
    assert refused.returncode == 1
    assert f"a stack already runs in {stack.home}, or is still ending (process {stack.process.pid})" in refused.stderr
    assert stack.stop() == 0


def test_a_redis_that_is_away_is_one_line(run, free_ports):
    """A REDIS_URL to nowhere starts nothing, and its password is not shown."""
    refused = run("up", REDIS_URL="redis://:secret-word@127.0.0.1:1/0", **free_ports)
    assert refused.returncode == 1
    assert "REDIS_URL: redis://127.0.0.1:1/0 cannot be used" in refused.stderr
    assert "secret-word" not in refused.stdout + refused.stderr
