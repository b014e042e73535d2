"""Many processes at the limits of one tenant: as many requests are let through as they say."""

import subprocess
import sys
from collections import Counter

from config.settings import PROJECT_ROOT

PROCESSES, EACH = 8, 30
LIMITS = (
    "tenant:requests 100 - - - - - - - - - -",
    "tenant:tokens - 700 - - - - - - - - -",
    "tenant:jobs - - - - - - 100 - - - -",
    "tenant:all 100 700 100 700 100 700 100 100 - - -",
)


def hammer(settings):
    """The jobs that were accepted of those that all processes submitted at the same time."""
    start = (sys.executable, "-m", "tests.workers.ledger.submitter", settings.redis_url, settings.key_prefix)
    processes = [
        subprocess.Popen(
            [*start, str(number), str(EACH), *LIMITS],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * PROCESSES
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [job for process in processes for job in process.stdout.readline().split()[1:]]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_exactly_as_many_are_let_through_as_may_be(redis, settings):
    """Of each tenant's 240 requests 100 are jobs; of the others nothing was written."""
    accepted = hammer(settings)
    assert Counter(job[0] for job in accepted) == dict.fromkeys("0123", 100)
    assert set(redis.zrange(f"{settings.key_prefix}schedule", 0, -1)) == set(accepted)
    jobs = redis.scan_iter(f"{settings.key_prefix}job:*", count=1000)
    assert {key.removeprefix(f"{settings.key_prefix}job:") for key in jobs} == set(accepted)
