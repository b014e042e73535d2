"""Which behaviour a call meets, and when a fault strikes."""

from random import Random

import pytest

from sandbox.behaviour import DEFAULT, Fault, parse
from sandbox.standing import Standing


@pytest.fixture
def standing():
    return Standing(Random(1))


def faults(standing, calls, requested=None, marker="m"):
    return [standing.resolve("groq", requested, marker).fault for _ in range(calls)]


def test_nothing_set_is_the_default(standing):
    """A fresh sandbox behaves well."""
    assert standing.resolve("groq", None, "m") is DEFAULT


def test_request_goes_over_provider_over_everyone(standing):
    """The more particular behaviour wins, field by field."""
    standing.put("*", parse({"text": "all", "latency_ms": 1, "cached_tokens": 5}))
    standing.put("groq", parse({"text": "groq", "latency_ms": 2}))
    met = standing.resolve("groq", parse({"text": "request"}), "m")
    assert (met.text, met.latency_ms, met.cached_tokens) == ("request", 2, 5)
    assert standing.resolve("openai", None, "m").text == "all"


def test_fault_ends_after_its_times(standing):
    """A standing fault strikes as often as `times` says, over all calls."""
    standing.put("groq", parse({"fault": "reset", "times": 2}))
    assert faults(standing, 4) == [Fault.RESET, Fault.RESET, None, None]


def test_requested_times_are_counted_per_request(standing):
    """A retried request's own fault ends; another request's counts for itself."""
    requested = parse({"fault": "reset", "times": 1})
    assert faults(standing, 2, requested, "one") == [Fault.RESET, None]
    assert faults(standing, 2, requested, "two") == [Fault.RESET, None]


def test_request_can_clear_a_standing_fault(standing):
    """`"fault": null` in the request takes the provider's fault away, and does not use it up."""
    standing.put("groq", parse({"fault": "reset", "times": 1}))
    assert faults(standing, 1, parse({"fault": None})) == [None]
    assert faults(standing, 1) == [Fault.RESET]


def test_probability_strikes_about_as_often(standing):
    """A fault of probability 0.3 strikes about 300 times in 1000."""
    standing.put("groq", parse({"fault": "reset", "probability": 0.3}))
    assert 240 < sum(fault is not None for fault in faults(standing, 1000)) < 360


def test_probability_zero_never_strikes_and_uses_nothing(standing):
    """Only a fault that strikes is counted."""
    standing.put("groq", parse({"fault": "reset", "probability": 0, "times": 1}))
    assert faults(standing, 50) == [None] * 50


def test_delete_forgets(standing):
    """Deleting a provider's behaviour leaves everyone's; deleting everyone's leaves nothing."""
    standing.put("*", parse({"text": "all"}))
    standing.put("groq", parse({"text": "groq"}))
    standing.delete("groq")
    assert standing.resolve("groq", None, "m").text == "all"
    standing.delete("*")
    assert standing.resolve("groq", None, "m") is DEFAULT
