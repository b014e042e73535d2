"""The line through a deployment's good calls."""

from math import isfinite
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.speed import HALF_LIFE_S, MOST_CALLS, UNKNOWN, USUAL_TOKENS, Speed, parse

NOW = 1_700_000_000.0
tokens = st.integers(1, 200_000)
durations = st.floats(1, 600_000)
calls = st.lists(st.tuples(tokens, durations, st.floats(0, 60)), min_size=1, max_size=60)


def fed(points, now=NOW):
    """The speed after these calls: (tokens, ms), or (tokens, ms, seconds since the one before)."""
    speed = UNKNOWN
    for length, took_ms, *gap in points:
        now += gap[0] if gap else 0
        speed = speed.after(took_ms, length, now)
    return speed


def test_nothing_is_known_at_first():
    """Without a call there is no estimate, and an answer is taken to have the usual length."""
    assert not UNKNOWN.known
    assert (UNKNOWN.ttft_ms, UNKNOWN.ms_per_token, UNKNOWN.spread_ms) == (0, 0, 0)
    assert UNKNOWN.mean_tokens == USUAL_TOKENS


@given(st.floats(10, 5000), st.floats(0.5, 100), st.integers(0, 2**32))
def test_a_known_line_is_found(ttft_ms, ms_per_token, seed):
    """Durations that lie on a line, over answers of many lengths, give that line back within a few percent of them."""
    lengths = Random(seed).choices(range(10, 1000), k=60)
    speed = fed((length, ttft_ms + ms_per_token * length) for length in lengths)
    for length in (min(lengths), 300, max(lengths)):
        assert speed.expected_ms(length) == pytest.approx(ttft_ms + ms_per_token * length, rel=0.03)
    assert speed.spread_ms < 0.05 * speed.mean_ms


@given(calls)
def test_parts_are_never_negative_and_meet_at_the_mean(points):
    """Neither part of the line is negative, the spread is a number, and the mean answer is predicted exactly."""
    speed = fed(points)
    assert speed.ttft_ms >= 0
    assert speed.ms_per_token >= 0
    assert isfinite(speed.spread_ms)
    assert speed.spread_ms >= 0
    assert speed.expected_ms(speed.mean_tokens) == pytest.approx(speed.mean_ms, rel=1e-6)


@given(calls, tokens)
def test_predictions_are_between_constant_and_proportional(points, length):
    """No prediction leaves the range from "length does not count" to "length is all that counts"."""
    speed = fed(points)
    one, other = sorted((speed.mean_ms, speed.mean_ms * length / speed.mean_tokens))
    assert one * (1 - 1e-6) <= speed.expected_ms(length) <= other * (1 + 1e-6)


@given(calls, st.floats(0.1, 1e3))
def test_durations_scale(points, factor):
    """The same calls, all so many times slower, give a line and a spread so many times as large."""
    speed, scaled = fed(points), fed((length, took * factor, gap) for length, took, gap in points)
    size = max(speed.mean_ms * factor, 1e-9)
    assert scaled.ttft_ms == pytest.approx(speed.ttft_ms * factor, rel=1e-3, abs=1e-3 * size)
    assert scaled.expected_ms(256) == pytest.approx(speed.expected_ms(256) * factor, rel=1e-2)
    assert scaled.spread_ms == pytest.approx(speed.spread_ms * factor, rel=1e-2, abs=1e-3 * size)


@given(st.integers(1, 100_000), durations, st.integers(1, 50))
def test_one_length_is_split_by_the_prior(length, took_ms, count):
    """Where all answers are alike the first token is worth 50 more."""
    speed = fed([(length, took_ms)] * count)
    assert speed.ttft_ms == pytest.approx(50 * speed.ms_per_token, rel=1e-3)
    assert speed.expected_ms(length) == pytest.approx(took_ms, rel=1e-6)


def test_noise_over_like_lengths_stays_near_the_prior():
    """Lengths that hardly vary say nothing of the slope, however the durations jump about."""
    rng = Random(5)
    steady = fed([(200, 1000.0)] * 40)
    speed = fed([(200 + rng.randrange(3), rng.uniform(500, 1500)) for _ in range(40)])
    assert speed.ms_per_token == pytest.approx(steady.ms_per_token, rel=0.3)


@given(calls)
def test_what_is_stored_is_what_is_known(points):
    """Twelve digits, as the ledger keeps them, are enough for the line, the spread and the mean."""
    speed = fed(points)
    words = (speed.n, speed.x, speed.xx, speed.y, speed.yy, speed.xy, speed.last_s * 1000)
    kept = parse(tuple(float(f"{word:.12g}") for word in words))
    assert kept.mean_ms == pytest.approx(speed.mean_ms, rel=1e-9)
    assert kept.expected_ms(256) == pytest.approx(speed.expected_ms(256), rel=1e-3)
    assert kept.spread_ms == pytest.approx(speed.spread_ms, rel=1e-3, abs=1e-5 * speed.mean_ms)


@given(st.floats(0, 1e9), st.floats(0, 2**53), st.integers(1, 200))
def test_large_numbers_stay_finite(took_ms, length, count):
    """Neither an answer longer than any nor a call of weeks leaves anything but finite numbers."""
    speed = fed([(length, took_ms), *[(7, 3.5)] * count, (length, took_ms * 1e6)])
    numbers = (speed.ttft_ms, speed.ms_per_token, speed.spread_ms, speed.expected_ms(1e6), speed.tokens_per_s)
    assert all(isfinite(number) and number >= 0 for number in numbers)


@given(calls)
def test_only_so_many_calls_are_remembered(points):
    """The weight of what is remembered never passes its bound."""
    assert 1 <= fed(points).n <= MOST_CALLS


def test_a_brown_out_shows_within_thirty_calls():
    """Ten times slower for thirty calls, all at once: most of it shows."""
    speed = fed([(100, 100.0)] * 500 + [(100, 1000.0)] * 30)
    assert speed.mean_ms > 600


def test_calls_count_half_after_the_half_life():
    """A call of one half-life ago counts half of a new one."""
    speed = fed([(100, 300.0), (100, 150.0, HALF_LIFE_S)])
    assert speed.mean_ms == pytest.approx(200)


@pytest.mark.parametrize(("before", "after"), [(100.0, 1000.0), (1000.0, 100.0)])
def test_a_change_is_believed_within_a_few_calls(before, after):
    """However much is remembered, some five calls ten times as slow, or as fast, are what is known then."""
    speed = fed([(100, before)] * 40)
    for _ in range(5):
        speed = speed.after(after, 100, speed.last_s)
    assert speed.mean_ms == pytest.approx(after, rel=0.5)
    assert fed([(100, 100.0)] * 40 + [(100, 400.0)]).mean_ms < 150, "one slow call is no change"


@given(st.floats(0, 5000), st.floats(0, 100), st.lists(st.integers(1, 5000), min_size=2, max_size=30))
def test_no_length_on_a_line_is_a_change(ttft_ms, ms_per_token, lengths):
    """Answers of any lengths, whose durations lie on a line, are remembered alike."""
    calls = [(length, ttft_ms + ms_per_token * length + 1) for length in lengths]
    assert fed(calls).n == pytest.approx(min(len(lengths), MOST_CALLS), rel=1e-6)


def test_an_answer_of_unknown_length_is_of_the_usual_one():
    """Without a count of tokens a call says how long answers take and nothing of their length."""
    assert fed([(0, 500.0)]).expected_ms(USUAL_TOKENS) == pytest.approx(500)
    assert fed([(40, 100.0), (0, 300.0)]).mean_tokens == 40


@given(calls, st.floats(0.01, 0.98))
def test_percentiles_rise(points, share):
    """A higher percentile is never lower, and the median is what is expected."""
    speed = fed(points)
    assert speed.percentile_ms(100, 0.5) == pytest.approx(speed.expected_ms(100))
    assert speed.percentile_ms(100, share) <= speed.percentile_ms(100, share + 0.01)


def test_the_spread_is_that_of_the_calls():
    """Calls that miss the line by 300 ms or so have about that spread, and one call has some."""
    rng = Random(3)
    spread_ms = fed([(100, rng.gauss(1000, 300)) for _ in range(400)]).spread_ms
    assert 200 < spread_ms < 400
    assert 0 < fed([(100, 1000.0)]).spread_ms < 300


def test_throughput_is_end_to_end():
    """Tokens per second count the time to the first token as well, for an answer of the usual length."""
    speed = fed([(length, 1000 + 10 * length) for length in range(10, 600, 10)])
    assert speed.tokens_per_s == pytest.approx(256 / (1 + 2.56), rel=0.02)
    assert fed([(5, 0.0)]).tokens_per_s == 256_000


def test_no_other_number_of_words_is_a_speed():
    """Seven finite numbers from 0, or nothing."""
    assert parse((1.0, 5.0, 25.0, 9.0, 81.0, 45.0, 2000.0)) == Speed(1, 5, 25, 9, 81, 45, 2)
    assert parse((1.0,) * 6) is None
    assert parse((1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0)) is None
    assert parse((1.0, float("inf"), 1.0, 1.0, 1.0, 1.0, 1.0)) is None
