"""A half open breaker and several real processes at once."""

import subprocess
import sys
import time

import pytest

from config.settings import PROJECT_ROOT
from routing.breaker import BreakerState
from tests.workers.conftest import outcome, submission

NAME = "groq/m"
PROCESSES, JOBS = 4, 60
pytestmark = pytest.mark.integration


def claim_together(settings, jobs):
    """Have PROCESSES processes claim the jobs, dealt out among them, at the same time; those let through."""
    prefix = (settings.redis_url, settings.key_prefix)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.workers.ledger.claimer", *prefix, *jobs[n::PROCESSES]],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    lines = [line for process in processes for line in process.communicate(timeout=30)[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return [job for line in lines if line.startswith("passed") for job in line.split()[1:]]


def test_concurrent_workers_never_pass_more_than_the_permitted_probes(ledger, redis, settings):
    """Of many jobs claimed at once by several processes, three go through; when their workers die, three others do."""
    ended = int(time.time() * 1000) - 1000
    for name in (NAME, "groq"):
        redis.hset(f"{settings.key_prefix}breakers", name, f"open {ended - 9000} {ended} 1 1 - -")
    jobs = [f"job_{number}" for number in range(JOBS)]
    for job in jobs:
        ledger.submit(submission(job, deployment=NAME))
    probes = claim_together(settings, jobs)
    assert len(probes) == 3
    for job in probes:
        redis.zadd(f"{settings.key_prefix}schedule", {job: 0})
    ledger.rescue()
    more = [f"more_{number}" for number in range(JOBS)]
    for job in more:
        ledger.submit(submission(job, deployment=NAME))
    again = claim_together(settings, more)
    assert len(again) == 3
    for job in again[:2]:
        assert ledger.finish(job, 1, outcome(evidence=f"{NAME} 1 5 4"))
    assert ledger.provider_records.breakers()[NAME].state is BreakerState.CLOSED
