"""How the headers of limits are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rate_limits import duration
from workers.providers.retry_after import duration_s


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "0s"),
        (12, "12ms"),
        (999, "999ms"),
        (1000, "1s"),
        (58_001, "59s"),
        (359_500, "6m0s"),
        (82_805_000, "23h0m5s"),
        (31 * 86_400_000, "744h0m0s"),
    ],
)
def test_times_are_written_as_openai_does(milliseconds, written):
    """In ms below a second, else in whole seconds, minutes and hours."""
    assert duration(milliseconds) == written


@given(st.integers(0, 40 * 86_400_000))
def test_clients_read_what_was_meant(milliseconds):
    """The reader that the router has for its providers' headers: never too early, and less than a second too late."""
    assert 0 <= round(duration_s(duration(milliseconds)) * 1000) - milliseconds < 1000
