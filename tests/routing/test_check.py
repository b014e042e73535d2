"""A check as the ledger's script wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.check import Check, CheckStatus


def test_parse_reads_the_ledgers_form():
    """Status, milliseconds, latency and failures in a row, then the error with its blanks."""
    found = Check.parse("failed 1700000000123 12.5 3 no answer within 10.0 s")
    assert found == Check(CheckStatus.FAILED, 1_700_000_000.123, 12.5, 3, "no answer within 10.0 s")
    assert Check.parse("ok 1000 1.0 0 ") == Check(CheckStatus.OK, 1.0, 1.0)


@pytest.mark.parametrize("text", ["", "ok", "well 1 1 0 ", "ok x 1 0 ", "ok 1 1 0"])
def test_malformed_is_none(text):
    """What nobody could have written is nothing."""
    assert Check.parse(text) is None


@given(st.text())
def test_junk_never_raises(text):
    """Whatever stands there, reading it is safe."""
    Check.parse(text)
