"""What the product's figures are held to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.routing.figures import Figures
from benchmarks.routing.scenario import Scenario

ROUTER, ORACLE = "router", "oracle"
# How often the product probes providers in these scenarios, and how many such intervals a return may take.
PROBE_INTERVAL_S = 10.0
_INTERVALS = 2
_P95_RATIO = 1.10
# What the gateway adds is measured, but a machine too slow for it is no excuse for the routing.
_MOST_OWN_MS = 15.0
# Where 5 % of requests were sent later than this, latencies are the machine's and not the router's.
BUSY_MS = 20.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of one scenario: in words, what was seen, and whether it is reached (None: not measured)."""

    name: str
    seen: str
    reached: bool | None

    def line(self) -> str:
        """The goal in one line."""
        verdict = {True: "reached", False: "NOT reached", None: "not measured"}[self.reached]
        return f"{self.name}: {self.seen}: {verdict}"


def goals(scenario: Scenario, found: Mapping[str, Figures], late_ms: float = 0.0) -> list[Goal]:
    """The goals of a scenario, held against the product's figures; none where it did not run.

    `late_ms` is the 95th percentile of how late requests were sent: on a busy machine no latency is judged.
    """
    mine = found.get(ROUTER)
    if mine is None:
        return []
    held = [Goal("every request is answered", f"{mine.answered} of {mine.requests}", mine.answered == mine.requests)]
    held.append(_settled(mine, found.get(ORACLE) if late_ms <= BUSY_MS else None))
    if scenario.moves:
        held.append(_returned(mine))
    return held


def _settled(mine: Figures, oracle: Figures | None) -> Goal:
    """p95 after the shift: at most 1.1 times the oracle's plus the gateway's own time, a median of this very run."""
    name = f"p95 after the shift <= {_P95_RATIO} x oracle + gateway's own"
    if oracle is None or oracle.settled_p95_ms is None or mine.settled_p95_ms is None:
        return Goal(name, "-", None if oracle is None else False)
    own_ms = min(mine.own_ms or 0.0, _MOST_OWN_MS)
    bound_ms = _P95_RATIO * oracle.settled_p95_ms + own_ms
    seen = f"{mine.settled_p95_ms:.0f} ms <= {_P95_RATIO} x {oracle.settled_p95_ms:.0f} + {own_ms:.1f} ms"
    return Goal(name, seen, mine.settled_p95_ms <= bound_ms)


def _returned(mine: Figures) -> Goal:
    bound_s = _INTERVALS * PROBE_INTERVAL_S
    seen = "never" if mine.return_s is None else f"{mine.return_s:.1f} s"
    reached = mine.return_s is not None and mine.return_s <= bound_s
    return Goal(f"back at the favourite within {bound_s:.0f} s", seen, reached)
