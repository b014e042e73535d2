"""Samples match their patterns."""

import re

import pytest

from sandbox.pattern import sample


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{3}-[0-9]{4}$",
        r"^\d+(\.\d+)?$",
        "^(foo|bar)+$",
        r"^[^0-9]+@[^@]+\.[a-z]{2,}$",
        r"^\S+\s\w*$",
        "^(a)(b)\\2\\1$",
        "^.{5,10}$",
        "[^\\w\\s]",
        "abc",
        "",
    ],
)
def test_sample_matches(pattern):
    """What is sampled from a pattern is matched by it."""
    assert re.search(pattern, sample(pattern))


def test_sample_is_as_long_as_asked():
    """A minimum length is met where the pattern's repeats allow it."""
    assert len(sample("^[a-z]+$", 20)) >= 20


@pytest.mark.parametrize("pattern", ["(", "^(?!)$", "^(?=b)a$"])
def test_pattern_without_a_sample_gives_none(pattern):
    """Broken and unsatisfiable patterns are no error."""
    assert sample(pattern) is None
