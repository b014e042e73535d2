import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.summary import Summary, percentile


@pytest.mark.parametrize(("q", "expected"), [(1, 1), (50, 50), (90, 90), (99, 99), (99.5, 100), (100, 100)])
def test_percentiles_are_nearest_ranks(q, expected):
    """Of 1..100 the q-th percentile is q, and between two samples it is the higher one."""
    assert percentile(range(1, 101), q) == expected


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1), st.integers(min_value=1, max_value=100))
def test_a_percentile_is_a_sample_that_enough_others_do_not_exceed(samples, q):
    """Every percentile was measured, and at least q % of the samples are at or below it."""
    found = percentile(sorted(samples), q)
    assert found in samples
    assert sum(sample <= found for sample in samples) * 100 >= q * len(samples)


def test_a_summary_counts_answers_and_errors_apart():
    """Throughput and latencies are of answers only; failures keep their reasons."""
    summary = Summary.of([0.003, 0.001, 0.002], 2.0, {"status 500": 2, "closed": 1})
    assert (summary.requests, summary.throughput, summary.failed) == (3, 1.5, 3)
    assert (summary.p50_ms, summary.max_ms) == (2.0, 3.0)
    assert Summary(**summary.to_json()) == summary


def test_a_run_without_an_answer_has_no_latency():
    """Nothing answered is no latency, not a latency of zero."""
    summary = Summary.of([], 2.0, {"closed": 1})
    assert (summary.throughput, summary.p50_ms, summary.max_ms) == (0.0, None, None)
    assert summary.latencies() == "no answer"
