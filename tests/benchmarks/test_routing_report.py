"""The table of a routing scenario."""

import pytest

from benchmarks.routing.answer import Answer, Outcome
from benchmarks.routing.figures import figures
from benchmarks.routing.goals import ORACLE, ROUTER, goals
from benchmarks.routing.performance import Performance
from benchmarks.routing.report import report, to_json
from benchmarks.routing.scenarios import SCENARIOS


def performance(late_ms=1.0):
    """The product, which failed one of 240 requests and never left the favourite, beside an oracle."""
    scenario = SCENARIOS["black-out"].scaled(12)
    good = [Answer(number / 20, 100.0, Outcome("swift", 1, calls_ms=98.0), 400.0) for number in range(239)]
    mine = figures(scenario, [*good, Answer(11.99, 50.0, Outcome(None, 3, problem="502 all_failed"))], calls=242)
    found = {ROUTER: mine, ORACLE: figures(scenario, good, calls=239)}
    return Performance(scenario, found, goals(scenario, found, late_ms), late_ms)


def test_the_table_has_each_strategy_its_failures_and_the_goals():
    """A row each, what failed and why, and of every goal whether it is reached."""
    lines = report(performance()).splitlines()
    router = next(line.split() for line in lines if line.startswith(ROUTER))
    assert router == ["router", "99.58", "100", "100", "100", "0.400", "3", "-", "0.0", "100/0/0"]
    assert "router failed: {'502 all_failed': 1}" in lines
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("goal")] == [
        "NOT reached",
        "reached",
        "reached",
    ]


@pytest.mark.parametrize(("late_ms", "said"), [(20.0, False), (20.1, True)])
def test_a_busy_machine_is_said_to_be_one(late_ms, said):
    """Latencies of requests that were sent late are no router's: none is judged."""
    found = performance(late_ms)
    assert ("BUSY MACHINE" in report(found)) is said
    assert [goal.reached for goal in found.goals] == [False, None if said else True, True]


def test_the_json_holds_every_figure_and_goal():
    """By scenario and strategy, under the names of the figures."""
    (told,) = to_json([performance()])
    assert told["strategies"][ROUTER]["wasted"] == 3
    assert told["strategies"][ROUTER]["success"] == pytest.approx(239 / 240)
    assert [goal["reached"] for goal in told["goals"]] == [False, True, True]
    assert told["late_p95_ms"] == 1.0
