"""The export on a real Redis: which jobs leave the ledger, and what of them never does."""

import json

import pytest

from routing.job import JobStatus
from routing.trace import TracedJob
from tests.workers.conftest import outcome, submission
from workers.ledger.export import Selection, finished_jobs
from workers.redis_client import connect

CANARY = "canary-7f3a"
ASKED = '{"prompt_tokens": 9, "max_tokens": 50, "order": ["groq", "canary-7f3a"]}'
ANSWER = json.dumps(
    {
        "choices": [{"message": {"content": CANARY}}],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": None,
        },
    }
)
FAILED = json.dumps(
    {
        "provider": "groq",
        "model": "m",
        "status": "failed",
        "started_at": 1.5,
        "duration": 20.5,
        "error": f"provider_failed: it said {CANARY}: {CANARY}",
    }
)


@pytest.fixture
def export(settings):
    """The jobs an export gives, as they come back from their lines."""

    def read(**wanted):
        with connect(settings.redis_url) as client:
            jobs = list(finished_jobs(client, settings.key_prefix, Selection(**wanted), {"groq", "other"}))
        lines = [job.to_line() for job in jobs]
        assert [TracedJob.from_line(line.encode()).to_line() for line in lines] == lines
        return {job.id: (job, line) for job, line in zip(jobs, lines, strict=True)}

    return read


def end(ledger, job_id, **changes):
    """Submit a job and carry it to its end."""
    ends = {key: changes.pop(key) for key in ("status", "answer", "attempts") if key in changes}
    ledger.submit(submission(job_id, **changes))
    ledger.claim(job_id, 1)
    assert ledger.finish(job_id, 1, outcome(**ends))


def test_a_finished_job_is_told_in_figures(ledger, export):
    """What was asked, planned, attempted and used is there, without a word of any text."""
    end(
        ledger,
        "job_1",
        request=json.dumps({"messages": [{"role": "user", "content": CANARY}]}),
        asked=ASKED,
        request_id=CANARY,
        webhook=f"http://127.0.0.1/{CANARY}",
        fingerprint=CANARY,
        idempotency=f"acme:{CANARY}",
        max_tries=3,
        attempts=f"{FAILED},{outcome().told.attempts}",
        answer=ANSWER,
    )
    [(job, line)] = export().values()
    assert CANARY not in line
    assert (job.id, job.tenant, job.model, job.policy, job.status) == ("job_1", "acme", "fast", "balanced", "completed")
    assert (job.tier, job.deadline_s, job.max_tries, job.circuit_breaker) == ("default", 60.0, 3, True)
    assert (job.asked.prompt_tokens, job.asked.max_tokens, job.asked.order) == (9, 50, ("groq",))
    assert [candidate.deployment.id for candidate in job.candidates] == ["groq/m", "other/m"]
    assert (job.usage.prompt_tokens, job.usage.completion_tokens, job.usage.cached_tokens) == (11, 7, 3)
    first, second = job.attempts
    assert (first.error_code, first.started_at, first.duration_ms) == ("provider_failed", 1.5, 20.5)
    assert (second.status, second.error_code) == ("completed", None)


def test_a_message_is_told_in_the_same_figures(ledger, export):
    """The usage of an answer in Anthropic's form is read as such: what came from a cache is part of the prompt."""
    counts = {"input_tokens": 8, "cache_read_input_tokens": 3, "output_tokens": 7}
    end(ledger, "job_1", surface="messages", answer=json.dumps({"type": "message", "content": [], "usage": counts}))
    [(job, _)] = export().values()
    assert (job.usage.prompt_tokens, job.usage.completion_tokens, job.usage.cached_tokens) == (11, 7, 3)


def test_only_what_has_ended_and_is_wanted_leaves(ledger, export, redis, settings):
    """Jobs that still run stay, and tenant, time and number choose among the others."""
    ledger.submit(submission("job_runs"))
    end(ledger, "job_old")
    end(ledger, "job_other", tenant="other")
    end(ledger, "job_failed", status=JobStatus.FAILED, answer='{"error": {"message": "x"}}', attempts=FAILED)
    redis.hset(f"{settings.key_prefix}job:job_old", "created", 1_000_000)
    assert set(export()) == {"job_old", "job_other", "job_failed"}
    assert set(export(tenant="acme")) == {"job_old", "job_failed"}
    assert set(export(since=2000)) == {"job_other", "job_failed"}
    assert len(export(limit=2)) == 2
    job, _ = export()["job_failed"]
    assert (job.usage, job.status) == (None, "failed")


def test_a_job_of_before_has_no_asked(ledger, export):
    """A record that does not tell what was asked is exported all the same."""
    end(ledger, "job_1")
    assert export()["job_1"][0].asked is None


def test_every_job_leaves_once(ledger, export):
    """However many steps the scan takes, each job is given once."""
    for number in range(250):
        end(ledger, f"job_{number}")
    assert set(export()) == {f"job_{number}" for number in range(250)}
