"""policies/breaker.json: an optional file of optional fields."""

import json

import pytest

from config.breaker import BreakerConfig
from config.configuration import ConfigurationError
from config.live import LiveConfiguration
from config.loader import load
from config.settings import Settings


def write(settings, content):
    (settings.config_dir / "policies" / "breaker.json").write_text(json.dumps(content))


def test_without_the_file_the_defaults_hold(settings):
    """A folder of the agreed files alone has breakers with the defaults, which are those we ship."""
    assert load(settings, {}).breaker == BreakerConfig() == load(Settings(), {}).breaker


def test_given_fields_are_taken(settings):
    """A file may set some fields; the others keep their defaults."""
    write(settings, {"failure_rate_threshold": 25.5, "minimum_number_of_calls": 3, "_why": "a comment"})
    assert load(settings, {}).breaker == BreakerConfig(failure_rate_threshold=25.5, minimum_number_of_calls=3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"failure_rate": 5}, "failure_rate: unknown field; did you mean 'failure_rate_threshold'?"),
        ({"failure_rate_threshold": 0}, "failure_rate_threshold: expected a number greater than 0, up to 100"),
        ({"slow_call_rate_threshold": "50"}, "slow_call_rate_threshold: expected a number"),
        ({"minimum_number_of_calls": 1.5}, "minimum_number_of_calls: expected a whole number from 1"),
        ({"sliding_window_s": None}, "sliding_window_s: "),
        ({"permitted_number_of_calls_in_half_open_state": 0}, "expected a whole number from 1"),
        (
            {"wait_duration_in_open_state_s": 400},
            "exponential_max_wait_duration_in_open_state_s: expected no less than wait_duration_in_open_state_s (400)",
        ),
        ([], "expected a JSON object"),
    ],
    ids=str,
)
def test_a_broken_file_is_refused(settings, content, message):
    """What cannot be used is named with its file and place, and never guessed at."""
    write(settings, content)
    with pytest.raises(ConfigurationError) as caught:
        load(settings, {})
    assert "policies/breaker.json: " in str(caught.value)
    assert message in str(caught.value)


def test_it_is_reloaded(settings):
    """The file counts as soon as it is there, without a restart."""
    live = LiveConfiguration(settings, {})
    write(settings, {"minimum_number_of_calls": 3})
    assert live.poll()
    assert live.current.breaker.minimum_number_of_calls == 3
