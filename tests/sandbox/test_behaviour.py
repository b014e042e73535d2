"""Behaviours as values: what is accepted, what is refused, how they overlay."""

import pytest

from sandbox.behaviour import DEFAULT, Fault, InvalidBehaviour, Limits, parse


def test_every_documented_field_is_taken():
    """A behaviour with every field parses to its values."""
    behaviour = parse(
        {
            "latency_ms": 5,
            "latency_jitter_ms": 2,
            "tokens_per_s": 100,
            "fault": "status",
            "status": 503,
            "retry_after": 1.5,
            "stall_s": 2,
            "probability": 0.5,
            "times": 3,
            "reasoning_tokens": 7,
            "cached_tokens": 8,
            "text": "hi",
            "reasoning": "hm",
            "refusal": "no",
            "context_length": 100,
            "limits": {
                "requests_per_minute": 1,
                "requests_per_day": 2,
                "tokens_per_minute": 3,
                "concurrency": 4,
            },
        }
    )
    assert behaviour.fault is Fault.STATUS
    assert behaviour.limits == Limits(1, 2, 3, 4)
    assert behaviour.latency_ms == 5


def test_null_gives_the_default():
    """A field that is null counts as given, with its default."""
    behaviour = parse({"fault": None, "times": None})
    assert behaviour.fault is None
    assert behaviour.given == {"fault", "times"}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "behaviour"),
        ({"latency": 1}, "latency"),
        ({"latency_ms": "1"}, "latency_ms"),
        ({"latency_ms": True}, "latency_ms"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"latency_ms": float("nan")}, "latency_ms"),
        ({"tokens_per_s": 0}, "tokens_per_s"),
        ({"fault": "boom"}, "fault"),
        ({"fault": ["status"]}, "fault"),
        ({"fault": "status"}, "status"),
        ({"fault": "status", "status": 200}, "status"),
        ({"fault": "reset", "status": 500}, "status"),
        ({"probability": 1.1}, "probability"),
        ({"times": 1.5}, "times"),
        ({"text": 5}, "text"),
        ({"limits": 5}, "limits"),
        ({"limits": {"rpm": 5}}, "limits.rpm"),
        ({"limits": {"concurrency": 0}}, "limits.concurrency"),
    ],
)
def test_malformed_field_is_named(value, field):
    """What cannot be understood is refused by the name of the field."""
    with pytest.raises(InvalidBehaviour) as refused:
        parse(value)
    assert refused.value.field == field
    assert field.split(".")[0].rstrip("s") in str(refused.value)


def test_unknown_field_lists_the_allowed_ones():
    """The refusal of an unknown field says which there are."""
    with pytest.raises(InvalidBehaviour, match=r"allowed: .*cached_tokens.*times"):
        parse({"speed": 1})


def test_overlay_keeps_what_it_does_not_give():
    """Only given fields overlay; the others shine through."""
    below = parse({"latency_ms": 10, "text": "below"})
    assert parse({"text": "above"}).over(below).latency_ms == 10
    assert parse({"text": "above"}).over(below).text == "above"
    assert DEFAULT.over(below) == below


def test_overlaid_fault_brings_its_own_particulars():
    """A new fault does not inherit the old one's status or count."""
    below = parse({"fault": "status", "status": 500, "times": 2, "latency_ms": 10})
    above = parse({"fault": "reset"}).over(below)
    assert (above.fault, above.status, above.times, above.latency_ms) == (Fault.RESET, None, None, 10)


def test_shown_is_what_was_given():
    """A behaviour shows the fields it was given, and no others."""
    given = {"fault": "status", "status": 500, "limits": {"concurrency": 4}}
    assert parse(given).shown() == given
