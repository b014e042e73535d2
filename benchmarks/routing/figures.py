"""What the answers of one strategy come to. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.routing.answer import Answer
from benchmarks.routing.scenario import Scenario
from benchmarks.summary import percentile

# A share is taken over the requests of so many seconds; fewer requests than _LEAST say nothing.
WINDOW_S = 2.0
_STEP_S = 0.1
_LEAST = 8
SHIFTED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Figures:
    """One strategy in one scenario. Latencies are of answered requests, in ms; times in seconds; None: never, or none.

    `wasted` counts provider calls without a use: failed, refused, or answered to nobody. `shift_s` runs from the
    trouble's begin until 90 % of new requests were answered elsewhere by the first call; `return_s` from its end until
    the favourite answers half of its share from before. `own_ms` is the median of what a gateway adds to its calls.
    """

    requests: int
    answered: int
    p50_ms: float | None
    p95_ms: float | None
    settled_p95_ms: float | None
    cost_per_1000_usd: float
    calls: int
    wasted: int
    shift_s: float | None
    return_s: float | None
    own_ms: float | None
    shares: Mapping[str, float]
    problems: Mapping[str, int]

    @property
    def success(self) -> float:
        """The share of requests that were answered, 0..1."""
        return self.answered / self.requests if self.requests else 0.0

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {**asdict(self), "success": self.success}


def figures(scenario: Scenario, answers: Sequence[Answer], calls: int) -> Figures:
    """The figures of `answers` that cost `calls` provider calls, as the sandbox counted them."""
    good = [answer for answer in answers if answer.good]
    latencies = sorted(answer.latency_ms for answer in good)
    begin, end = scenario.settled
    settled = sorted(answer.latency_ms for answer in good if begin <= answer.due_s < end)
    providers = Counter(answer.outcome.provider for answer in good)
    own = [a.latency_ms - a.outcome.calls_ms for a in good if a.first_call and a.outcome.calls_ms is not None]
    return Figures(
        requests=len(answers),
        answered=len(good),
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        settled_p95_ms=percentile(settled, 95),
        cost_per_1000_usd=sum(answer.cost_microusd for answer in good) / max(len(good), 1) / 1000,
        calls=calls,
        wasted=calls - len(good),
        shift_s=shift_s(scenario, answers) if scenario.moves else None,
        return_s=return_s(scenario, answers) if scenario.moves else None,
        own_ms=median(own) if own else None,
        shares={name: providers[name] / len(good) if good else 0.0 for name in scenario.start},
        problems=dict(Counter(answer.outcome.problem for answer in answers if not answer.good)),
    )


def shift_s(scenario: Scenario, answers: Sequence[Answer]) -> float | None:
    """Seconds from the trouble's begin until the load has left the favourite; None where it did not while it lasted."""

    def elsewhere(answer: Answer) -> bool:
        return answer.first_call and answer.outcome.provider != scenario.favourite

    begin, end = scenario.trouble
    return _first(answers, begin, end, elsewhere, SHIFTED_SHARE)


def return_s(scenario: Scenario, answers: Sequence[Answer]) -> float | None:
    """Seconds from the trouble's end until the favourite has half its share from before again; None: not in this run.

    Where the trouble was there from the start, its share from before is taken to be all.
    """

    def here(answer: Answer) -> bool:
        return answer.outcome.provider == scenario.favourite

    begin, end = scenario.trouble
    before = [answer for answer in answers if answer.due_s < begin]
    share = sum(map(here, before)) / len(before) if before else 1.0
    return _first(answers, end, scenario.seconds, here, share / 2)


def _first(
    answers: Sequence[Answer], begin: float, end: float, counts: Callable[[Answer], bool], share: float
) -> float | None:
    """Seconds from `begin` to the first window of WINDOW_S, up to `end`, of which at least `share` counts."""
    within = [(answer.due_s, counts(answer)) for answer in answers if begin <= answer.due_s < end]
    for step in range(int((end - begin - WINDOW_S) / _STEP_S) + 1):
        start = begin + step * _STEP_S
        seen = [counted for due_s, counted in within if start <= due_s < start + WINDOW_S]
        if len(seen) >= _LEAST and sum(seen) >= share * len(seen):
            return round(step * _STEP_S, 1)
    return None
