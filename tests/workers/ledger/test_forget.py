"""Forgetting a job: all that is kept of it goes, once it has ended, for its own tenant."""

import pytest

from tests.workers.conftest import outcome, submission


def keys(redis, settings, part="*"):
    """What is kept under this test's prefix, without the prefix."""
    return {key.removeprefix(settings.key_prefix) for key in redis.scan_iter(f"{settings.key_prefix}{part}")}


@pytest.fixture
def ended(ledger):
    """A job that has ended, with an Idempotency-Key and a webhook that is still to be delivered."""
    ledger.submit(submission(idempotency="acme:k", fingerprint="f", webhook="http://127.0.0.1:9/"))
    ledger.claim("job_1", 1)
    ledger.finish("job_1", 1, outcome())
    return ledger


def test_an_ended_job_is_forgotten_whole(ended, redis, settings):
    """Its record, its key and its webhook go; what it used stays counted."""
    assert redis.zscore(f"{settings.key_prefix}outbox", "job_1") is not None
    assert ended.forget("job_1", "acme") is True
    assert ended.read("job_1") is None
    assert not keys(redis, settings, "idempotency:*") | keys(redis, settings, "job:*") | keys(redis, settings, "outbox")
    assert keys(redis, settings, "usage:acme:*")
    assert ended.forget("job_1", "acme") is None


@pytest.mark.parametrize("claimed", [False, True])
def test_a_job_that_has_not_ended_stays(ledger, redis, settings, claimed):
    """Nothing that was accepted can be lost this way."""
    ledger.submit(submission())
    if claimed:
        ledger.claim("job_1", 1)
    before = redis.hgetall(f"{settings.key_prefix}job:job_1")
    assert ledger.forget("job_1", "acme") is False
    assert redis.hgetall(f"{settings.key_prefix}job:job_1") == before
    assert redis.zscore(f"{settings.key_prefix}schedule", "job_1") is not None


def test_another_tenants_job_stays(ended):
    """To another tenant there is no such job."""
    assert ended.forget("job_1", "rival") is None
    assert ended.read("job_1") is not None


def test_a_key_that_names_another_job_by_now_stays(ended, redis, settings):
    """Only the job's own claim goes with it."""
    redis.set(f"{settings.key_prefix}idempotency:acme:k", "job_2")
    assert ended.forget("job_1", "acme") is True
    assert redis.get(f"{settings.key_prefix}idempotency:acme:k") == "job_2"


def test_a_run_that_comes_back_to_a_forgotten_job_changes_nothing(ledger, redis, settings):
    """A worker that was cut off finds nothing to finish, and leaves nothing behind."""
    ledger.submit(submission())
    ledger.claim("job_1", 1)
    ledger.cancel("job_1", "acme")
    assert ledger.forget("job_1", "acme") is True
    assert ledger.heartbeat([("job_1", 1)]) == ["job_1"]
    assert ledger.finish("job_1", 1, outcome()) is False
    assert ledger.claim("job_1", 2) is None
    assert not keys(redis, settings, "job:*")
