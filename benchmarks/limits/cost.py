"""What authentication, limits and a budget cost one request: with all of them beside with none, in one process."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import redis
from flask import Response

from api import rate_limits
from api.app import create_app
from api.principal import authenticate
from api.services import Services
from benchmarks.request import KEY, MODEL
from config.settings import Settings
from config.tenant import Tenant, TenantQuotas
from routing.job import JobStatus, ServiceTier, Usage
from routing.planner import plan
from routing.request import RoutingRequest
from workers.ledger.headroom import Headroom
from workers.ledger.record import Accepted, Outcome, Told
from workers.queue import Order, new_job_id, submit

# Every limit there is, none of which is ever reached.
_MANY = 10**9
EVERY_LIMIT = TenantQuotas(_MANY, _MANY, _MANY, 10**6, _MANY, _MANY, _MANY, _MANY, _MANY, 10**12, 10**12)
NO_LIMIT = TenantQuotas()
BATCH = 50
_WANTED = RoutingRequest(MODEL, prompt_tokens=80, max_tokens=500)
_BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}


@dataclass(frozen=True, slots=True)
class Side:
    """A request under some limits: CPU of accepting it in the API's process, time in Redis, round trips."""

    submit_us: float
    redis_submit_us: float
    redis_finish_us: float
    round_trips: float


@dataclass(frozen=True, slots=True)
class Found:
    """Both sides, and what is done beside accepting the job: finding the key, and telling how limits stand."""

    authenticate_us: float
    headers_us: float
    limited: Side
    unlimited: Side

    @property
    def cpu_us(self) -> float:
        """All that a request costs in the API's process for this."""
        return self.authenticate_us + self.headers_us + self.limited.submit_us - self.unlimited.submit_us

    @property
    def redis_us(self) -> float:
        """All that it costs in Redis, to its end."""
        limited, unlimited = self.limited, self.unlimited
        accepting = limited.redis_submit_us - unlimited.redis_submit_us
        return accepting + limited.redis_finish_us - unlimited.redis_finish_us

    @property
    def round_trips(self) -> float:
        """How many more there are."""
        return self.limited.round_trips - self.unlimited.round_trips


def find(settings: Settings, batches: int) -> Found:
    """Measure so many batches of BATCH requests on each side, one side after the other."""
    services = Services.build(settings)
    app = create_app(services)
    tenant = services.directory.current.configuration.tenants["bench"]
    sides = {quotas: _Runs(services, tenant, quotas) for quotas in (NO_LIMIT, EVERY_LIMIT)}
    with redis.Redis.from_url(settings.resolve_redis_url()) as client:
        for number in range(batches + 1):
            for runs in sides.values():
                # The first batch warms both up.
                runs.batch(client, counted=number > 0)
    with app.test_request_context(headers={"Authorization": f"Bearer {KEY}"}):
        authenticating = _least_us(authenticate)
        rate_limits.note(sides[EVERY_LIMIT].headroom)
        telling = _least_us(lambda: rate_limits.tell(Response()))
        making = _least_us(Response)
    unlimited, limited = (runs.side() for runs in sides.values())
    return Found(authenticating, telling - making, limited, unlimited)


class _Runs:
    """The batches of one side. The key is bound as its tenant is."""

    def __init__(self, services: Services, tenant: Tenant, quotas: TenantQuotas) -> None:
        edition, snapshot = services.directory.current, services.snapshots.current
        self._ledger = services.ledger
        self._tenant = replace(tenant, quotas=quotas)
        policy = edition.policy(tenant.routing_policy)
        self._plan = plan(_WANTED, tenant, policy, edition.catalogue, snapshot, time.time(), services.rng)
        self._order = Order(deadline_s=600, tier=ServiceTier.DEFAULT, key="key_bench", key_quotas=quotas)
        self._cpu_us: list[float] = []
        self._redis: list[tuple[float, float, float]] = []
        self.headroom = Headroom()

    def batch(self, client: "redis.Redis[bytes]", *, counted: bool) -> None:
        """Accept BATCH jobs, and run them to their end."""
        ids = [new_job_id() for _ in range(BATCH)]
        before = _scripts(client)
        began = time.process_time()
        placed = [self._submit(name) for name in ids]
        cpu_s = time.process_time() - began
        accepted = _scripts(client)
        for name in ids:
            self._ledger.claim(name, 1)
        claimed = _scripts(client)
        for name in ids:
            told = Told('{"provider":"bench","model":"bench-model","status":"completed","started_at":1,"duration":5}')
            outcome = Outcome(JobStatus.COMPLETED, 200, "{}", told, Usage(80, 20), 18, counted_microusd=18)
            self._ledger.finish(name, 1, outcome)
        ended = _scripts(client)
        self.headroom = placed[-1].headroom
        if counted:
            self._cpu_us.append(cpu_s / BATCH * 1e6)
            submitting, finishing = accepted[1] - before[1], ended[1] - claimed[1]
            self._redis.append((submitting / BATCH, finishing / BATCH, (accepted[0] - before[0]) / BATCH))

    def _submit(self, name: str) -> Accepted:
        placed = submit(self._ledger, name, self._tenant, _WANTED, _BODY, self._plan, self._order)
        assert isinstance(placed, Accepted), placed
        return placed

    def side(self) -> Side:
        """Of the CPU the quickest batch: whatever else the machine does only adds. Of Redis's times the middle one."""
        submitting, finishing, trips = zip(*self._redis, strict=True)
        return Side(min(self._cpu_us), median(submitting), median(finishing), median(trips))


def _scripts(client: "redis.Redis[bytes]") -> tuple[int, int]:
    """How many scripts Redis was sent so far, each of which is a round trip, and how long they ran, in µs."""
    row = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0, "usec": 0})
    return row["calls"], row["usec"]


def _least_us(call: Callable[[], object], batches: int = 40) -> float:
    """The mean of the quickest of some batches of calls, in µs of CPU."""
    gc.collect()
    spent = []
    for _ in range(batches):
        began = time.process_time()
        for _ in range(BATCH):
            call()
        spent.append((time.process_time() - began) / BATCH * 1e6)
    return min(spent)
