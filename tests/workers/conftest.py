"""A ledger on the real Redis, and jobs to put in it."""

import dataclasses

import pytest
import redis as redis_py

from routing.job import JobStatus, Usage
from workers.ledger.ledger import Ledger
from workers.ledger.record import Outcome, Submission
from workers.pipeline import CommandPipeline
from workers.redis_client import connect

_CANDIDATES = '[["groq", "m", 1, 1, 1, 1, 0, null, null], ["other", "m", 1, 1, 1, 1, 0, null, null]]'
PLAN = f'{{"policy": "balanced", "candidates": {_CANDIDATES}}}'


@pytest.fixture
def redis(settings):
    """A plain client, to look at what the ledger wrote."""
    with redis_py.Redis.from_url(settings.redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def pipeline(settings):
    client = connect(settings.redis_url)
    pipeline = CommandPipeline(client)
    yield pipeline
    pipeline.close()
    client.close()


@pytest.fixture
def make_ledger(pipeline, settings):
    """A ledger with other settings than the defaults."""
    return lambda **changes: Ledger(pipeline, dataclasses.replace(settings, **changes))


@pytest.fixture
def ledger(make_ledger):
    return make_ledger()


def submission(job_id="job_1", **changes):
    """A job as it is accepted; `changes` are Submission's fields."""
    fields = {
        "id": job_id,
        "tenant": "acme",
        "queue": "provider.groq",
        "priority": 3,
        "deadline_ms": 60_000,
        "request": '{"model": "fast"}',
        "plan": PLAN,
        "model": "fast",
        "policy": "balanced",
        "primary": "groq",
    }
    return Submission(**{**fields, **changes})


def outcome(**changes):
    """A good end; `changes` are Outcome's fields."""
    fields = {
        "status": JobStatus.COMPLETED,
        "http_status": 200,
        "answer": '{"ok": true}',
        "attempts": '{"provider":"groq","model":"m","status":"completed","started_at":1,"duration":5}',
        "evidence": "groq/m 1 5.0 4",
        "usage": Usage(prompt_tokens=3, completion_tokens=4),
        "cost_microusd": 7,
    }
    return Outcome(**{**fields, **changes})
