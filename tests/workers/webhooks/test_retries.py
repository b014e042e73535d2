"""When a webhook is sent again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from workers.webhooks.retries import DELAYS_S, MAX_RETRY_AFTER_S, delay_s, parse_retry_after


def test_ten_attempts_on_the_schedule():
    """5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h lie between them, give or take a tenth, and then it is over."""
    hours = [3600 * hours for hours in (2, 5, 10, 14, 20, 24)]
    for tries, planned in enumerate([5, 300, 1800, *hours], start=1):
        waits = [delay_s(tries, None, random.Random(seed)) for seed in range(50)]
        assert all(0.9 * planned <= wait <= 1.1 * planned for wait in waits)
        assert len(set(waits)) > 40
    assert delay_s(10, None, random.Random(1)) is None


@given(tries=st.integers(1, len(DELAYS_S)), asked=st.floats(0, 1e12))
def test_what_the_receiver_asks_for_is_honoured(tries, asked):
    """Never sooner than Retry-After says, as long as that is a day at most; never later than that and the schedule."""
    wait = delay_s(tries, asked, random.Random(3))
    assert wait >= min(asked, MAX_RETRY_AFTER_S)
    assert wait <= max(asked, 1.1 * DELAYS_S[tries - 1])


@given(st.text() | st.sampled_from(["Tue, 24 Nov 2026 00:00:30 GMT", "٣", "1" * 30, "-5", "Mon, 99 Foo"]))
def test_any_header_can_be_read(header):
    """Nothing a receiver sends is an error, and no wait is negative."""
    wait = parse_retry_after(header, 1_795_478_400.0)
    assert wait is None or wait >= 0


def test_both_forms_are_read():
    """Seconds, and a date."""
    assert parse_retry_after(" 120 ", 0.0) == 120
    assert parse_retry_after("Tue, 24 Nov 2026 00:00:30 GMT", 1_795_478_400.0) == 30
    assert parse_retry_after(None, 0.0) is None
