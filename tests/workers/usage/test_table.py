"""Usage summed up: by whatever it is, nothing is lost, and no spreadsheet runs it."""

import csv
import io
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.usage.figures import NAMES, Figures, total
from workers.usage.log import Entry
from workers.usage.table import DIMENSIONS, Table, TooManyRows

names = st.none() | st.text(max_size=8)
figures = st.builds(Figures, *[st.integers(0, 10**12)] * len(NAMES))
entries = st.lists(st.builds(Entry, names.map(str), names.map(str), names, names, names, figures), max_size=12)
dimensions = st.lists(st.sampled_from(DIMENSIONS), unique=True, min_size=1)


@given(entries, dimensions)
def test_rows_add_up_to_what_was_put_in(found, by):
    """Each row has other names, and all rows together have every figure once."""
    table = Table.of(found, by)
    assert table.totals == total([entry.figures for entry in found])
    assert len({row.names for row in table.rows}) == len(table.rows)
    for row in table.rows:
        same = [entry for entry in found if tuple(getattr(entry, name) for name in by) == row.names]
        assert row.figures == total([entry.figures for entry in same])


@given(entries, dimensions)
def test_csv_says_the_same_and_holds_no_formula(found, by):
    """It reads back as the rows; a cell that a spreadsheet would run begins with an apostrophe."""
    table = Table.of(found, by)
    first, *lines = csv.reader(io.StringIO(table.as_csv(), newline=""))
    assert first == [*by, *NAMES, "cost_usd"]
    assert len(lines) == len(table.rows)
    for line, row in zip(lines, table.rows, strict=True):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)
        told = [cell[1:] if name and cell != name else cell for cell, name in zip(line, row.names, strict=False)]
        assert told == [name or "" for name in row.names]
        assert [int(cell) for cell in line[len(by) : -1]] == list(astuple(row.figures))
        assert round(float(line[-1]) * 1e6) == row.figures.cost_microusd


def test_a_table_that_grows_too_long_is_given_up():
    """It is not made first and refused then."""
    many = (Entry("acme", str(number), None, None, None, Figures()) for number in range(10**9))
    with pytest.raises(TooManyRows):
        Table.of(many, ("day",), most=100)
