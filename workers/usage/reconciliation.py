"""Compares what was counted with what the records of jobs say, while jobs go on; and puts it right."""

import math
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from routing.errors import RouterError
from workers.ledger.steps import Steps
from workers.usage.figures import TOTALLED, Figures, Series, total
from workers.usage.log import UsageLog, fields_of, series_of

# The turn of one comparison; every page of records renews it.
_LEASE_MS = 60_000
_PAGE = 500
_DAY_S = 86_400


class NotCompared(RouterError):
    """The comparison could not be made; it says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a tenant's day lacks: what the ledger says less what was counted. Series that agree are left out."""

    tenant: str
    day: str
    counted: Figures
    ledger: Figures
    series: Mapping[Series, Figures]
    # Of the day's totals: TOTALLED, in that order.
    totals: Mapping[str, int]

    @property
    def figures(self) -> Figures:
        """The difference of the day as a whole."""
        return self.ledger - self.counted


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found."""

    # Of each (tenant, day) that was compared: what was counted.
    compared: Mapping[tuple[str, str], Figures]
    differences: tuple[Difference, ...]
    # The days that could be judged, the newest first; those that could not, and why not.
    judged: tuple[str, ...]
    unjudged: Mapping[str, str]
    records: int


@dataclass(frozen=True, slots=True)
class _Account:
    """A tenant's day as it was at a moment."""

    at_us: int
    # How many records had been removed by then, since the comparison began.
    moved: int
    counted: Mapping[Series, Figures]
    gone: Mapping[Series, Figures]
    totals: Mapping[str, str]
    retention_s: int


@dataclass(slots=True)
class _Sums:
    """What records say, for the accounts that are compared."""

    accounts: Mapping[tuple[str, str], _Account]
    sums: dict[tuple[str, str], dict[Series, Figures]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    # Tenants and days that no account was known of.
    unknown: set[tuple[str, str]] = field(default_factory=set)

    def add(self, tenant: str, used: str, moved: int | None = None) -> None:
        """Add the entries of one record; `moved` is its place among the removed ones."""
        for entry in used.split(";")[:-1]:
            day, key, deployment, time_us, figures = entry.split(" ", 4)
            account = self.accounts.get((tenant, day))
            if account is None:
                self.unknown.add((tenant, day))
            elif int(time_us) <= account.at_us and (moved is None or moved >= account.moved):
                sums = self.sums.setdefault((tenant, day), {})
                series = Series(key, deployment)
                sums[series] = sums.get(series, Figures()) + Figures.parse(figures)


class Reconciliation:
    """One comparison at a time on one Redis. Its steps are short; jobs go on meanwhile, and are no difference.

    Accounts are read first, each in one step with its time; then records, of which the entries up to that time count.
    A record that is removed in between is told of by who removes it (usage_gone.lua).
    """

    def __init__(self, steps: Steps, retention_s: float, looked_at: Callable[[int], None] = lambda _: None) -> None:
        """`retention_s` is how long records are kept; `looked_at` is told how many records were read so far."""
        self._steps = steps
        self._log = UsageLog(steps)
        self._retention_s = int(retention_s)
        self._looked_at = looked_at
        self._token = secrets.token_hex(16)
        self._watch = f"{steps.prefix}usage_watch"
        self._moved = f"{steps.prefix}usage_moved"

    def compare(self) -> Report:
        """Look at every day that can be judged. NotCompared where another comparison is under way."""
        if self._steps.command("SET", self._watch, self._token, "NX", "PX", _LEASE_MS) is None:
            raise NotCompared("another comparison is under way; try again when it has ended")
        try:
            self._steps.command("DEL", self._moved)
            report = self._look()
            # A clock that was set back meanwhile makes a difference once; one that is real is there again.
            return _persisting(report, self._look()) if report.differences else report
        finally:
            if self._steps.command("GET", self._watch) == self._token.encode():
                self._steps.command("DEL", self._watch, self._moved)

    def fix(self, difference: Difference) -> None:
        """Have the counters say what the ledger says; what was counted meanwhile stays counted."""
        words = [word for series, figures in difference.series.items() for word in (series.name, *figures.words())]
        self._steps.run("usage_fix", difference.tenant, difference.day, *difference.totals.values(), *words)

    def _look(self) -> Report:
        pairs: set[tuple[str, str]] = set()
        days = self._days(self._now_s())
        # A tenant that stands in no list of its day is found by its records; then all is looked at once more.
        while True:
            pairs |= {(tenant, day) for day in days for tenant in self._log.tenants(day)}
            accounts = dict(self._accounts(sorted(pairs)))
            sums = _Sums(accounts)
            self._add_records(sums)
            self._add_moved(sums)
            missing = {(tenant, day) for tenant, day in sums.unknown if day in days} - pairs
            if not missing:
                break
            pairs |= missing
        return self._report(days, accounts, sums)

    def _now_s(self) -> float:
        seconds, microseconds = self._steps.command("TIME")
        return int(seconds) + int(microseconds) / 1e6

    def _days(self, now_s: float) -> list[str]:
        """The days of which all records may be there yet, and the one before them; the newest first."""
        today = datetime.fromtimestamp(now_s, UTC).date()
        return [str(today - timedelta(days=age)) for age in range(math.ceil(self._retention_s / _DAY_S) + 1)]

    def _accounts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], _Account]]:
        for place, pair in enumerate(pairs):
            if place % _PAGE == 0:
                self._used_by([])
            yield pair, self._account(*pair)

    def _account(self, tenant: str, day: str) -> _Account:
        at_us, moved, counted, gone, totals = self._steps.run("usage_look", tenant, day)
        told = fields_of(counted).get("retention", "")
        retention_s = min(self._retention_s, int(told)) if told.isdigit() else self._retention_s
        return _Account(at_us, moved, series_of(counted), series_of(gone), fields_of(totals), retention_s)

    def _add_records(self, sums: _Sums) -> None:
        for job_ids in self._pages():
            fresh = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in sums.seen]
            for job_id, (tenant, used) in zip(fresh, self._used_by(fresh), strict=True):
                # One that is gone by now is among those that were moved.
                if tenant:
                    sums.seen.add(job_id)
                    sums.add(tenant, used)
            self._looked_at(len(sums.seen))

    def _pages(self) -> Iterator[list[str]]:
        cursor: bytes | int = 0
        prefix = f"{self._steps.prefix}job:"
        while True:
            cursor, keys = self._steps.command("SCAN", cursor, "MATCH", f"{_literal(prefix)}*", "COUNT", _PAGE)
            yield [key.decode().removeprefix(prefix) for key in keys]
            if int(cursor) == 0:
                return

    def _add_moved(self, sums: _Sums) -> None:
        """Add records that were removed before they were read."""
        start = 0
        while told := self._steps.command("LRANGE", self._moved, start, start + _PAGE - 1):
            for place, line in enumerate(told, start):
                job_id, tenant, used = line.decode().split(" ", 2)
                if job_id not in sums.seen:
                    sums.seen.add(job_id)
                    sums.add(tenant, used, place)
            start += len(told)
        self._used_by([])

    def _used_by(self, job_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Tenant and `used` of each job; renews the turn of this comparison."""
        flat = self._steps.run("usage_records", self._token, _LEASE_MS, *job_ids)
        if flat is None:
            raise NotCompared("the comparison was held up for too long; run it again")
        words = [word.decode() for word in flat]
        return list(zip(words[::2], words[1::2], strict=True))

    def _report(self, days: Sequence[str], accounts: Mapping[tuple[str, str], _Account], sums: _Sums) -> Report:
        now_s = self._now_s()
        compared, differences, unjudged = {}, [], {}
        # Records of jobs that went on over midnight are kept as long as the later day's.
        shortest_s = self._retention_s
        for day in days:
            found = {pair: account for pair, account in accounts.items() if pair[1] == day}
            shortest_s = min(shortest_s, *(account.retention_s for account in found.values()), shortest_s)
            if _began_s(day) + shortest_s <= now_s:
                unjudged[day] = (
                    f"records are kept for {shortest_s} s, so that some of that day, and of those before, may be gone"
                )
                continue
            for (tenant, _), account in found.items():
                compared[tenant, day] = total(list(account.counted.values()))
                difference = _difference(tenant, day, account, sums.sums.get((tenant, day), {}))
                if difference is not None:
                    differences.append(difference)
        judged = tuple(day for day in days if day not in unjudged)
        return Report(compared, tuple(differences), judged, unjudged, len(sums.seen))


def _began_s(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()


def _difference(tenant: str, day: str, account: _Account, records: Mapping[Series, Figures]) -> Difference | None:
    """What the account lacks; None where it lacks nothing."""
    nothing = Figures()
    named = {*account.counted, *account.gone, *records}
    ledger = {series: account.gone.get(series, nothing) + records.get(series, nothing) for series in named}
    series = {
        each: lacking
        for each in sorted(named)
        if (lacking := ledger[each] - account.counted.get(each, nothing)) != nothing
    }
    whole = total(list(ledger.values()))
    totals = {name: getattr(whole, name) - _number(account.totals.get(name, "0")) for name in TOTALLED}
    if not series and not any(totals.values()):
        return None
    return Difference(tenant, day, total(list(account.counted.values())), whole, series, totals)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _persisting(first: Report, second: Report) -> Report:
    """The second report with those differences that both have."""
    before = {(each.tenant, each.day): (each.series, each.totals) for each in first.differences}
    kept = tuple(
        each for each in second.differences if before.get((each.tenant, each.day)) == (each.series, each.totals)
    )
    return replace(second, differences=kept)


def _literal(prefix: str) -> str:
    """The prefix as a pattern that matches it alone."""
    return "".join(f"\\{character}" if character in "*?[]\\^" else character for character in prefix)
