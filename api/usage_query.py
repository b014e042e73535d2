"""What a request for usage asks: days, what to sum up by, JSON or CSV; and the answer in that form."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, request

from api import replies
from api.openapi.operation import Parameter
from api.openapi.shape import word
from routing.errors import InvalidRequest
from workers.usage.log import Entry
from workers.usage.table import DIMENSIONS, Table, TooManyRows

# As long as usage is kept, and what is asked for if nothing is said.
MOST_DAYS, USUAL_DAYS = 400, 30
# One answer has so many rows at most, and is made of so many days of tenants.
MOST_ROWS, MOST_READ = 50_000, 20_000
CSV = "text/csv"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORMATS = ("json", "csv")

START = Parameter(
    "start",
    "query",
    f"The first day, in UTC; {USUAL_DAYS} days up to `end` if left out.",
    {"type": "string", "format": "date"},
)
END = Parameter("end", "query", "The last day, in UTC; today if left out.", {"type": "string", "format": "date"})
FORMAT = Parameter("format", "query", "`csv` for CSV, as `Accept: text/csv` does; JSON if left out.", word(_FORMATS))


def group_by(dimensions: Sequence[str]) -> Parameter:
    """The parameter, where these can be summed up by."""
    words = f"({'|'.join(dimensions)})"
    return Parameter(
        "group_by",
        "query",
        f"What to sum up by, with commas between: {', '.join(dimensions)}. `day` if left out.",
        {"type": "string", "pattern": f"^{words}(,{words})*$"},
    )


@dataclass(frozen=True, slots=True)
class UsageAsked:
    """Days from `start` to `end`, both included, summed up by some dimensions."""

    start: date
    end: date
    by: tuple[str, ...]
    csv: bool

    @classmethod
    def of_request(cls, dimensions: Sequence[str]) -> "UsageAsked":
        """As the query and `Accept` say; InvalidRequest names what is wrong with it."""
        today = datetime.now(UTC).date()
        end = _day("end") or today
        start = _day("start") or _earlier(end, USUAL_DAYS - 1)
        if start > end:
            raise InvalidRequest(f"start: {start} is after the end, {end}", param="start")
        if (end - start).days >= MOST_DAYS:
            raise InvalidRequest(f"start: at most {MOST_DAYS} days can be asked for at once", param="start")
        return cls(start, end, _dimensions(dimensions), _wants_csv())

    def days(self) -> Iterator[str]:
        """Each day, as the ledger names it."""
        for number in range((self.end - self.start).days + 1):
            yield str(self.start + timedelta(days=number))

    def answer(self, entries: Iterable[Entry]) -> Response:
        """The sums in the form that was asked for; InvalidRequest where they are too many."""
        try:
            table = Table.of(entries, self.by, most=MOST_ROWS)
        except TooManyRows as error:
            raise InvalidRequest(
                f"group_by: an answer has {MOST_ROWS:,} rows at most; ask for fewer days, or sum up by less",
                param="group_by",
            ) from error
        if self.csv:
            response = Response(table.as_csv(), mimetype=CSV)
            response.headers["Content-Disposition"] = f'attachment; filename="usage_{self.start}_{self.end}.csv"'
            return response
        return replies.as_json(self._object(table))

    def _object(self, table: Table) -> dict[str, Any]:
        return {
            "object": "usage",
            "start": str(self.start),
            "end": str(self.end),
            "group_by": list(self.by),
            "data": table.as_objects(),
            "totals": table.totals.as_object(),
        }


def _day(param: str) -> date | None:
    given = request.args.get(param)
    if given is None:
        return None
    try:
        day = date.fromisoformat(given) if _DAY.fullmatch(given) else None
    except ValueError:
        day = None
    # Years that a sum of days could lead out of are nobody's.
    if day is None or not 1970 <= day.year <= 9000:
        raise InvalidRequest(f"{param}: must be a day as YYYY-MM-DD", param=param)
    return day


def _earlier(day: date, days: int) -> date:
    return day - timedelta(days=days)


def _dimensions(known: Sequence[str]) -> tuple[str, ...]:
    given = request.args.getlist("group_by")
    words = [word for text in given or ["day"] for word in text.split(",")]
    for named in words:
        if named not in known:
            raise InvalidRequest(f"group_by: {named[:80]!r} is none; there are: {', '.join(known)}", param="group_by")
    return tuple(dict.fromkeys(words))


def _wants_csv() -> bool:
    given = request.args.get("format")
    if given is None:
        return request.accept_mimetypes.best_match(["application/json", CSV]) == CSV
    if given not in _FORMATS:
        raise InvalidRequest(f"format: must be one of {', '.join(_FORMATS)}", param="format")
    return given == "csv"


TENANT_DIMENSIONS = tuple(dimension for dimension in DIMENSIONS if dimension != "tenant")
