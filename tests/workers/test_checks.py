"""Checks of one account against the sandbox, on a real Redis."""

import random
import time

import pytest
from structlog.testing import capture_logs

from config.configuration import Configuration
from config.provider import ProviderConfig, ProviderKey
from routing.check import CheckStatus
from routing.store import SnapshotReader
from tests.support.process_node import free_port
from workers.checks import AGAIN_S, Checks
from workers.redis_client import connect
from workers.upstreams import Upstreams

INTERVAL_S = 60.0


@pytest.fixture
def rows(sandbox):
    """The account's row, which a test may replace."""
    return {"groq": row(f"{sandbox.url}/groq/openai/v1/chat/completions")}


def row(endpoint, **changes):
    fields = {"name": "groq", "type": "groq", "endpoint": endpoint, "sandboxed": True, "usable": True}
    return ProviderConfig(**{**fields, **changes})


@pytest.fixture
def make_checks(rows, ledger, settings):
    """The checks of one process; each call makes another's."""
    client = connect(settings.redis_url)

    def make(interval_s=INTERVAL_S):
        return Checks(
            ledger,
            Upstreams(lambda: Configuration(rows, {}, {}, {}, sandbox=True)),
            SnapshotReader(client, settings.key_prefix),
            provider="groq",
            interval_s=interval_s,
            rng=random.Random(1),
        )

    yield make
    client.close()


@pytest.fixture
def checked(make_checks, redis, settings):
    """Check once, as if the interval had passed; what is known then."""
    checks = make_checks()

    def check():
        redis.delete(f"{settings.key_prefix}check_turn:groq")
        assert checks.once()
        assert checks._snapshots.refresh()
        return checks._snapshots.current.checks["groq"]

    return check


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        ({}, "ok", ""),
        ({"fault": "status", "status": 503}, "failed", "groq answered 503"),
        ({"fault": "reset"}, "failed", "the connection failed: it was reset"),
        ({"fault": "status", "status": 401}, "misconfigured", "groq answered 401"),
        ({"fault": "status", "status": 403}, "misconfigured", "groq answered 403"),
        # A host that has no list of models, or has had enough of us, is a host that is there.
        ({"fault": "status", "status": 404}, "ok", "groq answered 404"),
        ({"fault": "status", "status": 429}, "ok", "groq answered 429"),
        ({"fault": "status", "status": 400}, "ok", ""),
    ],
    ids=str,
)
def test_what_an_answer_says(checked, sandbox, behaviour, status, error):
    """Host and key are what a check is about; it calls no model, and counts none."""
    sandbox.behave("groq", **behaviour)
    found = checked()
    assert (found.status, found.failures) == (CheckStatus(status), int(status != "ok"))
    assert found.error.startswith(error)
    counts = sandbox.calls()
    assert (counts["total"], counts["listings"]) == (0, {"groq": 1})


def test_nobody_there(checked, rows):
    """A host that cannot be reached has failed its check."""
    rows["groq"] = row(f"http://127.0.0.1:{free_port()}/v1")
    assert checked().status is CheckStatus.FAILED


def test_a_key_that_cannot_be_sent(checked, rows):
    """A key that no header can hold is the operator's to mend, and is not shown."""
    key = ProviderKey("SOME_KEY", "se\tcret")
    rows["groq"] = row("https://api.groq.com/openai/v1", sandboxed=False, keys=(key,))
    found = checked()
    assert found.status is CheckStatus.MISCONFIGURED
    assert "cret" not in found.error


def test_changes_are_told_once(checked, sandbox):
    """The log has each change for the worse or back, with what to do; a check that is as before says nothing."""
    with capture_logs() as logs:
        checked()
        for status in (401, 401, 500):
            sandbox.behave("groq", fault="status", status=status)
            checked()
        sandbox.behave("groq")
        checked()
    told = [(entry["event"], entry["log_level"]) for entry in logs if entry["log_level"] != "debug"]
    assert told == [
        ("provider.misconfigured", "error"),
        ("provider.check_failed", "warning"),
        ("provider.well_again", "info"),
    ]
    assert "key" in next(entry["do"] for entry in logs if entry["event"] == "provider.misconfigured")


def test_failures_are_looked_at_again_soon(checked, sandbox, redis, settings):
    """After a failure the next check comes within seconds, then ever later, and never later than the interval."""
    sandbox.behave("groq", fault="status", status=503)
    waits = []
    for _ in range(6):
        checked()
        waits.append(round(redis.pttl(f"{settings.key_prefix}check_turn:groq") / 1000))
    assert waits == [AGAIN_S, 10, 20, 40, INTERVAL_S, INTERVAL_S]
    sandbox.behave("groq")
    checked()
    assert round(redis.pttl(f"{settings.key_prefix}check_turn:groq") / 1000) == INTERVAL_S


def test_one_process_checks(make_checks, sandbox):
    """Of several processes one checks, and the others leave it at that."""
    assert [make_checks().once() for _ in range(3)] == [True, False, False]
    assert sandbox.calls()["listings"] == {"groq": 1}


def test_a_restart_looks_again(make_checks, sandbox, redis, settings):
    """Who starts does not wait for its turn to see whether what was wrong was mended; what was well can wait."""
    sandbox.behave("groq", fault="status", status=401)
    assert make_checks().once()
    sandbox.behave("groq")
    assert not make_checks().once()
    assert make_checks().once(starting=True)
    assert not make_checks().once(starting=True)
    assert redis.hget(f"{settings.key_prefix}checks", "groq").startswith("ok ")


def test_an_account_that_serves_is_not_checked(make_checks, sandbox, redis, settings):
    """A good call within the interval says more than a check would."""
    now = int(time.time() * 1000)
    redis.hset(f"{settings.key_prefix}health", "groq/m", f"1 1 100 1 0 {now}")
    assert not make_checks().once()
    assert sandbox.calls()["listings"] == {}


def test_an_account_that_may_not_be_called_is_not_checked(make_checks, rows, sandbox):
    """A disabled row, or one without a key, is left alone."""
    rows["groq"] = row(rows["groq"].endpoint, usable=False)
    assert not make_checks().once()
    assert sandbox.calls()["listings"] == {}
