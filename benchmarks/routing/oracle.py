"""The yardstick: it is told how every provider stands at each moment, and calls the best one directly."""

from collections import Counter
from collections.abc import Mapping

from benchmarks.routing.answer import Outcome
from benchmarks.routing.scenario import Condition, Scenario
from benchmarks.routing.strategy import Call, answered, unanswered

# A change reaches the sandbox a moment after it is due: the oracle leaves sooner and comes back later by this much.
_GUARD_S = 0.1


class Oracle:
    """The best that works and has room for another call; the next best should that fail all the same."""

    def __init__(self, call: Call, scenario: Scenario) -> None:
        self._call = call
        self._scenario = scenario
        self._under_way: Counter[str] = Counter()

    def send(self, number: int, second: float) -> Outcome:
        """Call the best provider of this moment."""
        order = ranking(self._scenario, second, self._under_way)
        for calls, provider in enumerate(order, start=1):
            self._under_way[provider] += 1
            try:
                reply = self._call(provider, number)
            finally:
                self._under_way[provider] -= 1
            if reply.good:
                return answered(provider, reply, calls)
        return unanswered(len(order), "nobody works")


def ranking(scenario: Scenario, second: float, under_way: Mapping[str, int]) -> list[str]:
    """The providers of this moment, the best first. Pure."""
    around = [scenario.at(second + shift) for shift in (-_GUARD_S, 0.0, _GUARD_S)]
    usable = {name for name in scenario.start if all(_has_room(now[name], under_way.get(name, 0)) for now in around)}

    def rank(name: str) -> tuple[bool, float]:
        condition = around[1][name]
        amount = condition.price.output if scenario.cheapest_is_best else max(now[name].latency_ms for now in around)
        return name not in usable, amount

    return sorted(scenario.start, key=rank)


def _has_room(condition: Condition, under_way: int) -> bool:
    # A limit per minute is too small for all of the load, so its owner is not the one to go to.
    if condition.fails_with is not None or condition.requests_per_minute is not None:
        return False
    return condition.concurrency is None or under_way < condition.concurrency
