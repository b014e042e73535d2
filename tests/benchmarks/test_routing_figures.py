"""What the routing suite makes of answers: shares, times to shift and return, goals."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.answer import Answer, Outcome
from benchmarks.routing.figures import figures, return_s, shift_s
from benchmarks.routing.goals import ORACLE, ROUTER, goals
from benchmarks.routing.scenarios import SCENARIOS

BLACK_OUT = SCENARIOS["black-out"].scaled(30)
BEGIN, END = BLACK_OUT.trouble


def told(who, *, rate=20, latency_ms=100.0, scenario=BLACK_OUT):
    """An answer every 1/rate s; `who` says of each second who answers and after how many calls (None: nobody)."""
    answers = []
    for number in range(int(scenario.seconds * rate)):
        second = number / rate
        provider, calls = who(second)
        outcome = Outcome(provider, calls, calls_ms=latency_ms - 4, problem="" if provider else "503")
        answers.append(Answer(second, latency_ms, outcome, cost_microusd=500.0))
    return answers


def moving(left, back):
    """Away from the favourite at second `left`, with it again from second `back` on."""
    return lambda second: ("steady", 1) if left <= second < back else ("swift", 1)


@given(late=st.floats(min_value=0, max_value=5), later=st.floats(min_value=0, max_value=8))
def test_times_to_shift_and_return_are_found_where_the_load_moved(late, later):
    """Within a window's length of the moment; earlier only because a share is taken over a window."""
    answers = told(moving(BEGIN + late, END + later))
    assert late - 2 <= shift_s(BLACK_OUT, answers) <= late + 0.3
    assert later - 2 <= return_s(BLACK_OUT, answers) <= later + 0.3


def test_a_load_that_never_moves_has_no_time_to_shift_and_one_that_stays_away_none_to_return():
    """Neither is a number where it did not happen."""
    assert shift_s(BLACK_OUT, told(moving(99, 99))) is None
    assert return_s(BLACK_OUT, told(moving(BEGIN, 99))) is None


def test_an_answer_after_a_failed_call_is_no_shift():
    """A list that tries the broken one first each time has answers from elsewhere, and yet has not moved."""
    answers = told(lambda second: ("steady", 2) if BEGIN <= second < END else ("swift", 1))
    assert shift_s(BLACK_OUT, answers) is None
    assert figures(BLACK_OUT, answers, calls=len(answers) + 200).wasted == 200


def test_figures_count_what_was_answered_by_whom_and_at_what_price():
    """Failures have no latency and no cost; a call without an answer is wasted."""
    answers = told(lambda second: (None, 3) if second < 3 else ("steady", 1))
    found = figures(BLACK_OUT, answers, calls=len(answers) + 120)
    assert (found.requests, found.answered, found.success) == (600, 540, 0.9)
    assert found.wasted == 180
    assert found.shares == {"swift": 0, "steady": 1, "distant": 0}
    assert found.problems == {"503": 60}
    assert found.cost_per_1000_usd == pytest.approx(0.5)
    assert found.own_ms == pytest.approx(4)


def test_the_p95_after_the_shift_is_that_of_the_second_half_of_the_trouble():
    """What was slow while the load was moving does not count there."""
    begin, end = BLACK_OUT.settled
    slow = [replace(answer, latency_ms=900.0) for answer in told(moving(BEGIN, END)) if answer.due_s < begin]
    quick = [answer for answer in told(moving(BEGIN, END)) if answer.due_s >= begin]
    found = figures(BLACK_OUT, [*slow, *quick], calls=600)
    assert (found.settled_p95_ms, found.p95_ms) == (100.0, 900.0)
    assert begin < end


@pytest.mark.parametrize(
    ("who", "latency_ms", "reached"),
    [
        (moving(BEGIN, END + 1), 100, [True, True, True]),
        (moving(BEGIN, 99), 113, [True, True, False]),
        (lambda second: (None, 2) if second < 1 else ("swift", 1), 115, [False, False, True]),
    ],
)
def test_goals_are_held_against_the_oracle_with_the_gateways_own_time_on_top(who, latency_ms, reached):
    """1.1 times its p95 of 100 ms and the 4 ms measured; everybody answered; back within two probe intervals."""
    oracle = figures(BLACK_OUT, told(moving(BEGIN, END)), calls=600)
    mine = figures(BLACK_OUT, told(who, latency_ms=latency_ms), calls=600)
    assert [goal.reached for goal in goals(BLACK_OUT, {ROUTER: mine, ORACLE: oracle})] == reached


def test_what_was_not_run_is_not_reached_nor_missed():
    """Without the oracle its goal is left open; without the product there is none."""
    mine = figures(BLACK_OUT, told(moving(BEGIN, END)), calls=600)
    assert [goal.reached for goal in goals(BLACK_OUT, {ROUTER: mine})] == [True, None, True]
    assert goals(BLACK_OUT, {ORACLE: mine}) == []
