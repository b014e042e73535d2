"""How long a job was in calls."""

import pytest

from routing.job import time_in_calls_ms


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], 0),
        ([(10.0, 200.0, False), (11.0, 300.0, False)], 500),
        # Cut when the other answered.
        ([(10.0, 200.0, False), (10.1, 100.0, True)], 200),
        # Failed while the other was under way, which then outlasted it by 50 ms.
        ([(10.0, 200.0, False), (10.1, 150.0, True)], 250),
        # The other failed first.
        ([(10.0, 200.0, False), (10.1, 5.0, True)], 200),
        ([(9.0, 40.0, False), (10.0, 200.0, False), (10.1, 150.0, True), (12.0, 10.0, False)], 300),
    ],
)
def test_calls_at_the_same_time_count_once(calls, expected):
    """Calls in turn add up; a hedge adds only what it outlasted the call beside it."""
    assert time_in_calls_ms(calls) == pytest.approx(expected)
