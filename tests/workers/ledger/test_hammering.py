"""Many processes at the limits and the budget of one tenant: as much is let through as they say."""

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
    "tenant:many 200 - - - - - - - - - - key:one 100 - - - - - - - - - -",
)
# A budget of 10 USD, and 504 jobs at a time that are taken to cost 0.1 USD each.
BUDGET, EXPECTED, AT_ONCE = 10_000_000, 100_000, 63
TIGHT = f"tenant:acme - - - - - - - - - 99000000 0.8 key:one - - - - - - - - {BUDGET} - 0.8"


def at_once(module, settings, *arguments):
    """What each of the processes says at its end that run `module` at the same time."""
    start = (sys.executable, "-m", f"tests.workers.ledger.{module}", settings.redis_url, settings.key_prefix)
    processes = [
        subprocess.Popen(
            [*start, str(number), *arguments],
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
        return [process.stdout.readline().split()[1:] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_exactly_as_many_are_let_through_as_may_be(redis, settings):
    """Of 240 requests under each limits 100 are jobs, a tenant's as a key's; of the others nothing was written."""
    accepted = [job for jobs in at_once("submitter", settings, str(EACH), *LIMITS) for job in jobs]
    assert Counter(job[0] for job in accepted) == dict.fromkeys("01234", 100)
    assert set(redis.zrange(f"{settings.key_prefix}schedule", 0, -1)) == set(accepted)
    jobs = redis.scan_iter(f"{settings.key_prefix}job:*", count=1000)
    assert {key.removeprefix(f"{settings.key_prefix}job:") for key in jobs} == set(accepted)


def test_a_budget_is_spent_to_within_one_estimate(redis, settings):
    """Of 10 USD, by 504 jobs at a time, each costing less than was expected: never over, and nothing stays held."""
    told = at_once("spender", settings, TIGHT, str(EXPECTED), str(AT_ONCE))
    spent = sum(int(amount) for (amount,) in told)
    assert BUDGET - EXPECTED < spent <= BUDGET
    for scope in ("tenant:acme", "key:one"):
        kept = redis.hget(f"{settings.key_prefix}limits:{scope}", "used").split()
        assert (kept[8:10], kept[13:15]) == ([str(spent), "0"], [str(spent), "0"])
    assert redis.zcard(f"{settings.key_prefix}schedule") == 0
