"""A tenant whose jobs a test puts on a ledger, at times that the test sets; and a key of that tenant."""

import itertools
from datetime import UTC, datetime

from config.tenant import Tenant, TenantQuotas
from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from workers.tenant_limits import limit_words

NOON = int(datetime(2026, 2, 27, 12, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
# What the field `used` holds, in its order.
COUNTERS = (
    *("window_ms", "requests", "requests_before", "tokens", "tokens_before"),
    *("day", "day_requests", "day_tokens", "day_spent", "day_held"),
    *("month", "month_requests", "month_tokens", "month_spent", "month_held"),
)
_numbers = itertools.count()


class Account:
    """One tenant's jobs on a ledger."""

    def __init__(self, ledger, clock, redis, prefix):
        self.ledger, self.clock, self.redis, self.prefix = ledger, clock, redis, prefix
        self.name = f"acme{next(_numbers)}"

    def words(self, *, key=None, **quotas):
        """The tenant's limits, and where there are some of a key, those."""
        tenant = Tenant(self.name, quotas=TenantQuotas(**quotas))
        return limit_words(tenant, f"{self.name}_key", TenantQuotas(**(key or {})))

    def submit(self, tokens=0, job=None, limits=None, microusd=0, key=None, **quotas):
        """Submit a job that is taken to need so many tokens and micro-dollars."""
        words = self.words(key=key, **quotas) if limits is None else limits
        changes = {"tenant": self.name, "prompt_tokens": tokens, "limits": words, "deadline_ms": HOUR_MS}
        job = job or f"{self.name}_{next(_numbers)}"
        return self.ledger.submit(submission(job, expected_microusd=microusd, **changes))

    def finish(self, job, used=0, status=JobStatus.COMPLETED, cost=0):
        """Run an accepted job to its end; it costs so many micro-dollars, None where nobody knows."""
        assert self.ledger.claim(job.id, 1) is not None
        ended = outcome(status=status, usage=Usage(prompt_tokens=used), counted_microusd=cost)
        assert self.ledger.finish(job.id, 1, ended)

    def counter(self, name, scope="tenant"):
        """What is kept of the tenant's limits, or of its key's, under `name`."""
        whose = f"tenant:{self.name}" if scope == "tenant" else f"key:{self.name}_key"
        kept = self.redis.hgetall(f"{self.prefix}limits:{whose}")
        if name in ("unfinished", "queued"):
            return int(kept.get(name, 0))
        return dict(zip(COUNTERS, map(int, kept["used"].split()), strict=True))[name] if kept else 0
