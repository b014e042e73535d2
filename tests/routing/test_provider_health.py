"""How an account stands, in one word, by the newest of what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.breaker import Breaker, BreakerState
from routing.check import Check, CheckStatus
from routing.health import Health
from routing.provider_health import ProviderHealth, ProviderStatus, provider_health, why_due
from routing.snapshot import Snapshot
from routing.speed import Speed

NOW = 1_700_000_000.0


def calls(good, bad=0, *, ago=10.0, row=0, ms=100.0):
    """Recorded calls, the last `ago` seconds ago and `row` failures at their end."""
    return Health(
        calls=good + bad,
        successes=good,
        consecutive_failures=row,
        last_s=NOW - ago,
        speed=Speed(n=good, y=ms * good),
    )


def check(status="ok", *, ago=10.0, failures=0, error=""):
    return Check(CheckStatus(status), NOW - ago, 5.0, failures, error)


def breaker(state="open", *, ago=10.0):
    return Breaker(BreakerState(state), changed_s=NOW - ago, until_s=NOW + 100)


def health(checked=None, breakers=None, **records):
    """What is said of groq, whose deployments have these records."""
    return provider_health("groq", snapshot(checked, breakers, **records), NOW)


def snapshot(checked=None, breakers=None, **records):
    deployments = {f"groq/{name}": record for name, record in records.items()}
    # Another account must never matter.
    others = {"groq2/m": calls(0, 9, row=9), "groqother": calls(0, 9, row=9)}
    return Snapshot(
        {**deployments, **others},
        NOW,
        {**(breakers or {}), "groq2": breaker(), "groq2/m": breaker()},
        checks={"groq2": check("failed", failures=3), **({"groq": checked} if checked else {})},
    )


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("unknown", {}),
        ("healthy", {"m": calls(9)}),
        ("healthy", {"checked": check()}),
        ("healthy", {"m": calls(9, 1, row=1)}),
        ("degraded", {"m": calls(8, 2, row=2)}),
        ("down", {"m": calls(30, 3, row=3)}),
        # One deployment that answers is enough not to be down.
        ("healthy", {"m": calls(0, 3, row=3), "n": calls(90)}),
        ("degraded", {"m": calls(0, 3, row=3), "n": calls(9)}),
        # The later of call and check counts; a good check lets hope, no more.
        ("degraded", {"m": calls(30, 3, row=3, ago=10), "checked": check(ago=5)}),
        ("down", {"m": calls(30, 3, row=3, ago=5), "checked": check(ago=10)}),
        ("down", {"m": calls(9, ago=10), "checked": check("failed", ago=5, failures=1)}),
        ("healthy", {"m": calls(9, ago=5), "checked": check("failed", ago=10, failures=1)}),
        ("down", {"m": calls(9, 1, row=1, ago=5), "checked": check("failed", ago=10, failures=1)}),
        ("misconfigured", {"checked": check("misconfigured", failures=1)}),
        ("healthy", {"m": calls(9, ago=5), "checked": check("misconfigured", ago=10, failures=1)}),
        # Breakers.
        ("down", {"m": calls(9), "breakers": {"groq": breaker()}}),
        ("down", {"breakers": {"groq": breaker("forced_open")}, "checked": check()}),
        ("degraded", {"breakers": {"groq": breaker(ago=10)}, "checked": check(ago=5)}),
        ("down", {"breakers": {"groq": breaker(ago=5)}, "checked": check(ago=10)}),
        ("degraded", {"m": calls(9), "breakers": {"groq": breaker("half_open")}}),
        ("degraded", {"m": calls(9), "n": calls(9), "breakers": {"groq/n": breaker()}}),
        ("healthy", {"m": calls(9), "breakers": {"groq": breaker("forced_closed"), "groq/m": breaker("closed")}}),
    ],
)
def test_status(status, known):
    """Each word means what docs/routing.md says."""
    assert health(**known).status is ProviderStatus(status)


def test_figures_come_from_calls():
    """Each deployment weighs as much as it was called; checks are no completions and change neither figure."""
    found = health(check(ago=1), m=calls(30, ms=100, ago=0), n=calls(5, 5, ms=300, ago=0))
    assert (found.uptime, found.latency_ms) == pytest.approx((0.875, 150))
    assert (found.consecutive_failures, found.last_check_s, found.error) == (0, NOW, None)


def test_nothing_known_is_nothing_said():
    """No figure is made up."""
    assert health() == ProviderHealth(ProviderStatus.UNKNOWN)
    faded = health(m=calls(0, 3, ago=86_000, row=1))
    assert (faded.uptime, faded.latency_ms) == (None, None)


def test_a_failing_check_says_why():
    """Its failures in a row and its words are shown while it counts."""
    failing = check("misconfigured", ago=5, failures=4, error="groq answered 401")
    found = health(failing, m=calls(9, 1, row=1))
    assert (found.consecutive_failures, found.error, found.last_check_s) == (4, "groq answered 401", NOW - 5)
    assert health(failing, m=calls(9, ago=1)).error is None


def test_when_a_check_is_due():
    """While a good call is younger than the interval none is, unless a breaker is open."""
    assert why_due("groq", snapshot(), NOW, 60) == "no good call lately"
    assert why_due("groq", snapshot(m=calls(9, ago=59)), NOW, 60) is None
    assert why_due("groq", snapshot(m=calls(9, ago=61)), NOW, 60) == "no good call lately"
    assert why_due("groq", snapshot(m=calls(9, 1, row=1, ago=1)), NOW, 60) == "no good call lately"
    assert why_due("groq", snapshot(m=calls(0, 1, row=1), n=calls(1)), NOW, 60) is None
    for name in ("groq", "groq/m"):
        assert why_due("groq", snapshot(None, {name: breaker()}, m=calls(9)), NOW, 60) == "a circuit breaker is open"
        assert why_due("groq", snapshot(None, {name: breaker("half_open")}, m=calls(9)), NOW, 60) is None


ANYTHING = {
    "m": st.builds(calls, st.integers(0, 99), st.integers(1, 99), ago=st.floats(-5, 1e5), row=st.integers(0, 99)),
    "checked": st.none()
    | st.builds(check, st.sampled_from(list(CheckStatus)), ago=st.floats(-5, 1e5), failures=st.integers(0, 99)),
    "breakers": st.dictionaries(
        st.sampled_from(["groq", "groq/m"]),
        st.builds(breaker, st.sampled_from(list(BreakerState)), ago=st.floats(-5, 1e5)),
    ),
}


@given(st.fixed_dictionaries(ANYTHING))
def test_a_later_good_check_never_leaves_it_down(known):
    """Whatever was, after a good check only the operator's hand keeps an account down; nor is it ever misconfigured."""
    forced = known["breakers"].get("groq", Breaker()).state is BreakerState.FORCED_OPEN
    found = health(**{**known, "checked": check(ago=-10)})
    assert (found.status is ProviderStatus.DOWN) == forced
    assert found.status is not ProviderStatus.MISCONFIGURED


@given(st.fixed_dictionaries(ANYTHING))
def test_figures_stay_in_range(known):
    """Uptime is a share, latency is not negative, and the last look is the latest."""
    found = health(**known)
    assert found.uptime is None or 0 <= found.uptime <= 1
    assert found.latency_ms is None or found.latency_ms >= 0
    assert found.last_check_s >= known["m"].last_s
