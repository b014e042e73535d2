"""`model-router breaker` against a real Redis."""

import pytest

from cli.breaker import table
from routing.breaker import Breaker, BreakerState, Bucket


@pytest.fixture
def breaker(run, settings):
    """Run `model-router breaker` on this test's keys."""
    variables = {"REDIS_URL": settings.redis_url, "MODEL_ROUTER_KEY_PREFIX": settings.key_prefix}
    return lambda *arguments: run("breaker", *arguments, **variables)


def test_forcing_and_giving_back(breaker):
    """A breaker is forced, shown so, and given back to itself."""
    assert "every circuit breaker is closed" in breaker("list").stdout
    assert breaker("open", "groq").stdout == "groq: now forced_open\n"
    assert breaker("open", "groq").stdout == "groq: was already forced_open\n"
    assert breaker("close", "groq/openai/gpt-oss-20b").stdout == "groq/openai/gpt-oss-20b: now forced_closed\n"
    lines = breaker("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["groq", "forced_open"],
        ["groq/openai/gpt-oss-20b", "forced_closed"],
    ]
    assert breaker("auto", "groq").stdout == "groq: now closed\n"


@pytest.mark.parametrize("name", ["nobody", "nobody/model", "groq/", "groq/a b"])
def test_a_name_that_can_be_no_breaker_is_one_line(breaker, name):
    """A mistyped provider or model is refused, and nothing is written."""
    failed = breaker("open", name)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1
    assert "every circuit breaker is closed" in breaker("list").stdout


def test_without_redis_it_is_one_line(run):
    """A Redis that is away ends the command with one line."""
    failed = run("breaker", "list", REDIS_URL="redis://127.0.0.1:1/0")
    assert (failed.returncode, failed.stderr) == (1, "Error: Redis is not available\n")


def test_the_table_puts_trouble_first():
    """Breakers that are not closed come first, with the time until the next attempt."""
    found = {
        "a": Breaker(ring=(Bucket(95, 3, 1, 0), Bucket(10, 9, 9, 0))),
        "z": Breaker(BreakerState.OPEN, 90, 112, 2, 7, 0, (Bucket(80, 9, 9, 0),)),
    }
    assert [line.split() for line in table(found, 100, 60).splitlines()[1:]] == [
        ["z", "open", "9", "in", "12", "s", "7"],
        ["a", "closed", "1", "0"],
    ]
