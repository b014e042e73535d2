"""What the ledger tells of limits and budgets beside accepting jobs: how they stand, and that one is nearly spent.

Money is in micro-dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workers.ledger.steps import Steps

_DAY_S = 86_400
KEY_SCOPE = "key:"


@dataclass(frozen=True, slots=True)
class BudgetEvent:
    """That a budget came near its end, or to it, in one day or month."""

    id: str
    tenant: str
    # "tenant:ID" or "key:ID".
    scope: str
    # A name of workers/webhooks/events.py.
    event: str
    # "day" or "month", and the date on which it was told, in UTC.
    period: str
    date: str
    limit: int
    spent: int
    occurred_ms: int

    @classmethod
    def parse(cls, event_id: str, stored: Mapping[bytes, bytes]) -> "BudgetEvent":
        """Decode what budget.lua has written."""
        text = {name.decode(): value.decode() for name, value in stored.items()}
        date = datetime.fromtimestamp(int(text["day"]) * _DAY_S, UTC).date().isoformat()
        return cls(
            id=event_id,
            tenant=text["tenant"],
            scope=text["scope"],
            event=text["event"],
            period=text["period"],
            date=date,
            limit=int(text["limit"]),
            spent=int(text["spent"]),
            occurred_ms=int(float(text["occurred"])),
        )

    def as_object(self) -> dict[str, Any]:
        """As webhooks show it. `key` is null where the budget is the tenant's own; a month is "2026-02"."""
        whose, _, name = self.scope.partition(":")
        return {
            "id": self.id,
            "object": "budget",
            "scope": whose,
            "key": name if self.scope.startswith(KEY_SCOPE) else None,
            "period": self.period,
            "date": self.date if self.period == "day" else self.date[:7],
            "limit_usd": self.limit / 1e6,
            "spent_usd": self.spent / 1e6,
        }


@dataclass(frozen=True, slots=True)
class LimitStanding:
    """How one limit stands; budgets in micro-dollars."""

    # "tenant:ID" or "key:ID", and its name, as in `quotas`.
    scope: str
    name: str
    limit: int
    used: int
    # Of a budget: the part of `used` that is held for jobs under way.
    held: int
    # Until nothing of it is used; 0: nothing is, or nobody knows.
    reset_ms: int


class Budgets:
    """Reads how limits and budgets stand, and what was told of budgets."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def event(self, event_id: str) -> BudgetEvent | None:
        """One event; None when it is gone."""
        stored = self._steps.hash(f"budget_event:{event_id}")
        return BudgetEvent.parse(event_id, stored) if stored else None

    def standings(self, words: str) -> list[LimitStanding]:
        """How the limits stand that `words` have (reserve.lua)."""
        flat = self._steps.run("standing", words)
        rows = (flat[at : at + 6] for at in range(0, len(flat), 6))
        return [LimitStanding(scope.decode(), name.decode(), *figures) for scope, name, *figures in rows]
