"""What the command line's tests share: a clean environment, a way to run the command, and waiting."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.ports import free_port, why_not_free
from cli.redis_server import find_server
from cli.signals import StopSignals
from cli.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wait_until():
    """Poll a condition until it holds, and give its value back."""

    def wait(condition, *, timeout_s=20.0, what="the condition"):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come within {timeout_s} s")

    return wait


@pytest.fixture
def environment(tmp_path):
    """An environment without any of our variables or provider keys, with its own HOME folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "MODEL_ROUTER_HOME": str(tmp_path / "home")}


@pytest.fixture
def run(environment):
    """Run `model-router` with arguments, to its end."""

    def invoke(*arguments, timeout_s=30, **variables):
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return invoke


@pytest.fixture
def said():
    """What a supervisor said, line by line."""
    return []


@pytest.fixture
def signals():
    """Stop signals, as `up` counts them."""
    with StopSignals() as counted:
        yield counted


@pytest.fixture
def supervisor(tmp_path, said, signals):
    """A supervisor whose processes are gone when the test ends."""
    running = Supervisor(tmp_path / "logs", said.append, signals)
    yield running
    running.stop()


@pytest.fixture
def is_running():
    """Whether a pid is a process that still runs (a zombie does not)."""

    def check(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    return check


def _port_variables():
    return {name: str(free_port()) for name in ("PORT", "FLOWER_PORT", "MODEL_ROUTER_SANDBOX_PORT")}


@pytest.fixture
def free_ports():
    """Variables that give a stack ports nobody uses."""
    return _port_variables()


@pytest.fixture
def second_ports():
    """The same for a second stack."""
    return _port_variables()


@pytest.fixture
def forgetful_redis(tmp_path, wait_until):
    """The address of a Redis that keeps nothing on disk and evicts when full."""
    port = free_port()
    options = ["--port", str(port), "--save", "", "--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]
    with subprocess.Popen([find_server(), *options, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as server:
        wait_until(lambda: why_not_free("127.0.0.1", port) is not None, what="the server's start")
        yield f"redis://127.0.0.1:{port}/0"
        server.kill()
