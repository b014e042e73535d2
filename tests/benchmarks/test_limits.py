import json
import subprocess
import sys

from benchmarks.limits.cost import Found, Side
from benchmarks.limits.report import reached, report
from config.settings import PROJECT_ROOT


def found(**changes):
    fields = {
        "authenticate_us": 4.0,
        "headers_us": 10.0,
        "limited": Side(170.0, 160.0, 90.0, 1.0),
        "unlimited": Side(130.0, 90.0, 60.0, 1.0),
    }
    return Found(**{**fields, **changes})


def test_what_limits_cost_is_what_is_more_with_them():
    """Beside finding the key and telling of limits, which nobody does without; in Redis to the job's end."""
    assert (found().cpu_us, found().redis_us, found().round_trips) == (54.0, 100.0, 0.0)
    assert "54.0 µs: reached" in report(found())


def test_a_goal_that_is_missed_is_said():
    """300 µs of CPU are too much, and so is one round trip."""
    slow, roundabout = found(authenticate_us=250.0), found(limited=Side(170.0, 160.0, 90.0, 2.0))
    assert [reached(one) for one in (found(), slow, roundabout)] == [True, False, False]
    assert report(slow).count("NOT reached") == report(roundabout).count("NOT reached") == 1


def test_a_short_run_measures_both_sides(tmp_path):
    """On a Redis of its own: every job is accepted with one round trip, limited or not."""
    file = tmp_path / "found.json"
    command = (sys.executable, "-m", "benchmarks.limits", "--batches", "2", "--json", str(file))
    run = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "every limit, and a budget, of tenant and key" in run.stdout, run.stderr
    told = json.loads(file.read_text())
    assert [told[side]["round_trips"] for side in ("limited", "unlimited")] == [1.0, 1.0]
    assert min(told["limited"].values()) > 0
