"""policies/retry.json: an optional file of optional fields."""

import json

import pytest

from config.configuration import ConfigurationError
from config.live import LiveConfiguration
from config.loader import load
from config.retry import RetryConfig
from config.settings import Settings


def write(settings, content):
    (settings.config_dir / "policies" / "retry.json").write_text(json.dumps(content))


def test_without_the_file_the_defaults_hold(settings):
    """A folder of the agreed files alone has the default budgets, which are those we ship."""
    assert load(settings, {}).retry == RetryConfig() == load(Settings(), {}).retry


def test_given_fields_are_taken(settings):
    """A file may set some fields; the others keep their defaults."""
    write(settings, {"budget_percent": 12.5, "_why": "a comment"})
    assert load(settings, {}).retry == RetryConfig(budget_percent=12.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"budget": 5}, "budget: unknown field"),
        ({"budget_percent": -1}, "budget_percent: expected a number"),
        ({"budget_reserve": 1.5}, "budget_reserve: expected a whole number from 0"),
        ({"budget_window_s": 0}, "budget_window_s: expected a number"),
    ],
    ids=str,
)
def test_a_broken_file_is_refused(settings, content, message):
    """What cannot be used is named with its file and place."""
    write(settings, content)
    with pytest.raises(ConfigurationError) as caught:
        load(settings, {})
    assert "policies/retry.json: " in str(caught.value)
    assert message in str(caught.value)


def test_it_is_reloaded(settings):
    """The file counts as soon as it is there, without a restart."""
    live = LiveConfiguration(settings, {})
    write(settings, {"budget_reserve": 7})
    assert live.poll()
    assert live.current.retry.budget_reserve == 7
