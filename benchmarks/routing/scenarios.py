"""The scenarios of the suite. Three providers each: the favourite is the fastest and the cheapest."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.routing.scenario import Condition, Price, Scenario, Step

FAVOURITE = "swift"
SWIFT = Condition(latency_ms=100, price=Price(1.00, 4.00))
STEADY = Condition(latency_ms=140, price=Price(1.20, 4.80))
DISTANT = Condition(latency_ms=220, price=Price(2.00, 8.00))
_WELL: Mapping[str, Condition] = {"swift": SWIFT, "steady": STEADY, "distant": DISTANT}
_DOWN = replace(SWIFT, fails_with=503)
# One minute each: long enough after the trouble to see a return within two probe intervals of 10 s.
_SECONDS = 60.0
_BEGIN, _END = 12.0, 32.0


def _troubled(name: str, story: str, trouble: Condition) -> Scenario:
    """The favourite is `trouble` for a while, then as it was."""
    steps = (Step(_BEGIN, FAVOURITE, trouble), Step(_END, FAVOURITE, SWIFT))
    return Scenario(name, story, _WELL, steps, _SECONDS, FAVOURITE, (_BEGIN, _END))


def _flapping() -> Scenario:
    turns = (12.0, 16.0, 20.0, 24.0, 28.0, 32.0)
    steps = tuple(Step(at_s, FAVOURITE, SWIFT if place % 2 else _DOWN) for place, at_s in enumerate(turns))
    story = "the favourite fails for 4 s, works for 4 s, three times over"
    return Scenario("flapping", story, _WELL, steps, _SECONDS, FAVOURITE, (turns[0], turns[-1]))


def _price_change() -> Scenario:
    dearer = replace(SWIFT, price=Price(3.00, 12.00))
    steps = (Step(_BEGIN, FAVOURITE, dearer), Step(_END, FAVOURITE, SWIFT))
    return Scenario(
        name="price-change",
        story="the operator edits providers.json: the favourite costs three times as much, then what it did",
        start=_WELL,
        steps=steps,
        seconds=_SECONDS,
        favourite=FAVOURITE,
        trouble=(_BEGIN, _END),
        policy="cost-optimized",
        cheapest_is_best=True,
    )


def _uneven_capacity() -> Scenario:
    # At 50 requests/s about a third fits into each of the first two.
    start = {"swift": replace(SWIFT, concurrency=2), "steady": replace(STEADY, concurrency=3), "distant": DISTANT}
    story = "the two better ones refuse more than 2 and 3 calls at once, and nobody was told"
    return Scenario("uneven-capacity", story, start, (), 40.0, FAVOURITE, (0.0, 40.0), moves=False)


def _recovery() -> Scenario:
    start = {**_WELL, FAVOURITE: _DOWN}
    story = "the favourite is down when the run begins, then works for the first time"
    return Scenario("recovery", story, start, (Step(20.0, FAVOURITE, SWIFT),), 50.0, FAVOURITE, (0.0, 20.0))


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        _troubled("brown-out", "the favourite takes ten times as long", replace(SWIFT, latency_ms=1000)),
        _troubled("black-out", "the favourite answers 503 to everything", _DOWN),
        _flapping(),
        _troubled("429-storm", "the favourite takes 120 requests a minute", replace(SWIFT, requests_per_minute=120)),
        _price_change(),
        _uneven_capacity(),
        _recovery(),
    )
}
