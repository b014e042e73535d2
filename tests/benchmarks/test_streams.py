"""The benchmark of streams itself, short: real gateway, real worker, real sockets."""

import contextlib
import json
import subprocess
import sys

import pytest

from benchmarks.litellm.environment import LOCK, Environment, InstallError, version
from benchmarks.process import ROOT
from benchmarks.streams.load import ClosedLoop, Crowd
from benchmarks.streams.pace import Pace
from benchmarks.waiting import provider_counts
from cli.ports import free_port
from tests.benchmarks.stopping import stopped

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def provider():
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.streams.provider", "--port", str(port)]
    with stopped(subprocess.Popen(argv, cwd=ROOT), port):
        yield port


@pytest.mark.parametrize("pause_s", [0.0, 0.002])
def test_a_closed_loop_has_every_stream_whole(pause_s):
    """Whether paced or not, all tokens of all streams come in order, on connections that are used again."""
    with provider() as port:
        loop = ClosedLoop(port, Pace(30, pause_s), 4)
        summary = loop.run(0.1, 0.5, lambda _: None)
        loop.close()
        counts = provider_counts(port)
    assert summary.errors == {}
    assert 4 <= summary.streams <= counts["calls"]
    assert summary.most_at_once == 4


def test_a_crowd_is_asked_for_once_each_and_keeps_its_pace():
    """40 streams of 0.4 s are 40 calls, all at once, and none is over sooner than its pace allows."""
    with provider() as port:
        crowd = Crowd(port, Pace(20, 0.02))
        summary = crowd.run(40, 0.1, 30.0, lambda _: None)
        crowd.close()
        counts = provider_counts(port)
    assert (summary.streams, summary.tokens, summary.errors) == (40, 800, {})
    assert (counts["calls"], counts["most_at_once"], counts["under_way"]) == (40, 40, 0)
    assert summary.seconds >= 19 * 0.02


def test_a_crowd_gives_up_at_its_limit():
    """What has not ended by then is counted, not waited for."""
    with provider() as port:
        crowd = Crowd(port, Pace(1000, 1.0))
        summary = crowd.run(3, 0.01, 0.3, lambda _: None)
        crowd.close()
    assert (summary.streams, summary.errors) == (0, {"no end": 3})


def test_nothing_is_lost_through_the_gateway(tmp_path):
    """Each part, short and without LiteLLM: every stream of Model Router is whole, and the report has its goals."""
    file = tmp_path / "figures.json"
    argv = ["--without-litellm", "--rounds", "1", "--seconds", "1", "--warm-up", "0.3", "--streams", "2"]
    crowd = ["--crowd", "20", "--crowd-seconds", "1", "--ramp", "0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.streams", *argv, *crowd, "--json", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())["measurements"]
    mine = {row["step"]["part"]: row for row in found if row["system"] == "model router"}
    assert set(mine) == {"latency", "throughput", "crowd"}
    assert all(row["summary"]["streams"] > 0 and row["summary"]["errors"] == {} for row in mine.values())
    assert mine["crowd"]["summary"]["tokens"] == 20 * 20
    assert {"api", "worker", "redis", "provider"} <= set(mine["crowd"]["cpu_s"])
    assert "20 streams at once through model router, goal nothing lost: 400 chunks: reached" in done.stdout


def test_what_can_not_be_installed_says_why(tmp_path):
    """A lock that pip refuses ends in one error with pip's own words, and leaves no stamp."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("no requirement at all\n")
    made = Environment(tmp_path / "environment", lock)
    with pytest.raises(InstallError, match=r"(?s)pip could not install it.*no requirement at all"):
        made.ensure()
    assert not (made.folder / ".stamp").exists()


def test_litellm_is_locked_with_hashes():
    """The lock names its version and has a hash for every package, and no address of a registry."""
    text = LOCK.read_text()
    assert version() in text
    packages = [line for line in text.splitlines() if line[:1].isalnum()]
    assert packages
    assert all(line.endswith("\\") for line in packages)
    assert "://" not in text
