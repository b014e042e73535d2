"""The routing suite itself, short: real gateway, real workers, real sandbox."""

import json
import subprocess
import sys

import pytest

from benchmarks.process import ROOT

pytestmark = pytest.mark.integration


def test_a_black_out_costs_no_request_and_moves_the_load(tmp_path):
    """Everything is answered while the favourite is down, and by others, without calling it first each time."""
    file = tmp_path / "figures.json"
    argv = [sys.executable, "-m", "benchmarks.routing", "--only", "black-out", "--seconds", "18", "--rate", "12"]
    done = subprocess.run(
        [*argv, "--strategies", "router,static-list,oracle", "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    # 1: a goal is missed, or the machine is busy; anything else is a defect.
    assert done.returncode in (0, 1), done.stderr
    (scenario,) = json.loads(file.read_text())["scenarios"]
    router, listed, oracle = (scenario["strategies"][name] for name in ("router", "static-list", "oracle"))
    assert router["success"] == listed["success"] == oracle["success"] == 1
    assert router["requests"] == listed["requests"] == oracle["requests"] > 100
    assert router["shift_s"] is not None
    # The list asks the broken one first every time, and so never shifts; about 70 requests come while it is down.
    assert listed["shift_s"] is None
    assert listed["wasted"] > 40
    assert oracle["wasted"] < 10
    assert len(scenario["goals"]) == 3
    assert "black-out" in done.stdout
