"""Usage summed up by what is asked for, and as CSV. No I/O."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workers.usage.figures import NAMES, Figures, total
from workers.usage.log import Entry

# What can be summed up by.
DIMENSIONS = ("day", "tenant", "model", "provider", "key")
# With these a spreadsheet takes a cell for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class TooManyRows(ValueError):
    """A table would be longer than it may be."""


@dataclass(frozen=True, slots=True)
class Row:
    """The sum of what has the same names; they are in the order of the table's dimensions."""

    names: tuple[str | None, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order of their names."""

    by: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry], by: Sequence[str], *, most: int | None = None) -> "Table":
        """Sum up the entries by some of DIMENSIONS; TooManyRows as soon as there are more than `most`."""
        sums: dict[tuple[str | None, ...], Figures] = {}
        for entry in entries:
            names = tuple(getattr(entry, dimension) for dimension in by)
            sums[names] = sums.get(names, Figures()) + entry.figures
            if most is not None and len(sums) > most:
                raise TooManyRows
        ordered = sorted(sums.items(), key=lambda row: tuple(name or "" for name in row[0]))
        return cls(tuple(by), tuple(Row(names, figures) for names, figures in ordered))

    @property
    def totals(self) -> Figures:
        """The sum of all rows."""
        return total([row.figures for row in self.rows])

    def as_objects(self) -> list[dict[str, Any]]:
        """A JSON object for each row."""
        return [{**dict(zip(self.by, row.names, strict=True)), **row.figures.as_object()} for row in self.rows]

    def as_csv(self) -> str:
        """RFC 4180, with a line of names first. No name in it is a formula to a spreadsheet."""
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow((*self.by, *NAMES, "cost_usd"))
        for row in self.rows:
            figures = row.figures.as_object()
            writer.writerow((*map(_cell, row.names), *(figures[name] for name in NAMES), _dollars(row.figures)))
        return written.getvalue()


def _cell(name: str | None) -> str:
    """A name as a cell, an apostrophe before what would be taken for a formula."""
    if name is None:
        return ""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _dollars(figures: Figures) -> str:
    """Dollars to the micro-dollar, never in powers of ten."""
    return f"{figures.cost_microusd / 1_000_000:.6f}"
