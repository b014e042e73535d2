"""The ledger's one invariant under any order of steps: an accepted, unfinished job stands in the schedule."""

import dataclasses
import itertools
import time

import pytest
import redis as redis_py
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from config.breaker import BreakerConfig
from routing.breaker import Breaker, BreakerState
from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from workers.ledger.ledger import Ledger
from workers.ledger.listing import Selection
from workers.ledger.record import Accepted, Room, Told
from workers.pipeline import CommandPipeline
from workers.redis_client import connect

QUEUES = ("provider.groq", "provider.other")
ENDED = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED}
# As many as there will never be; what is counted is all that matters here.
LIMITS = (
    "tenant:acme 999 - 999 - - - 999 999 99999 - 0.8",
    "tenant:acme - - - 99999 - - 999 - 99999 9999 - key:k - - 999 9999 - - - 999 - 9999 0.5",
)
ESTIMATE = 50
# What a job is taken to cost, what it does when it ends, and what a call costs that is in vain; micro-dollars.
HELD, COST, WASTED = 20, 9, 4
WASTE = Told(spent=Usage(completion_tokens=1), counted_microusd=WASTED)
PERMITTED = BreakerConfig().permitted_number_of_calls_in_half_open_state
_runs = itertools.count()


class LedgerMachine(RuleBasedStateMachine):
    """Steps on one Redis; each run of the machine has a namespace of its own."""

    # Set by the test.
    settings = None
    jobs = Bundle("jobs")

    def __init__(self):
        super().__init__()
        own = dataclasses.replace(self.settings, key_prefix=f"{self.settings.key_prefix}{next(_runs)}:")
        self.prefix = own.key_prefix
        self.redis = redis_py.Redis.from_url(self.settings.redis_url, decode_responses=True)
        self.client = connect(self.settings.redis_url)
        self.pipeline = CommandPipeline(self.client)
        self.ledger = Ledger(self.pipeline, own)
        self.accepted = set()
        # Those whose tenant has a limit of unfinished jobs.
        self.counted = set()
        # What each of them has spent, and those that a key's limits count as well.
        self.spent = {}
        self.of_key = set()
        self.settled = set()
        self.ended = {}
        self.running = {}

    def teardown(self):
        self.pipeline.close()
        self.client.close()
        self.redis.close()

    def epoch(self, job):
        return int(self.redis.hget(f"{self.prefix}job:{job}", "epoch"))

    def status(self, job):
        return JobStatus(self.redis.hget(f"{self.prefix}job:{job}", "status"))

    @rule(
        target=jobs,
        number=st.integers(0, 4),
        queue=st.sampled_from(QUEUES),
        webhook=st.booleans(),
        careless=st.booleans(),
        limits=st.sampled_from(["", *LIMITS]),
    )
    def submit(self, number, queue, webhook, careless, limits):
        job = f"job_{number}"
        url = "http://receiver/" if webhook else ""
        fields = {"queue": queue, "webhook": url, "waiter": "api", "careless": careless, "limits": limits}
        fields["expected_microusd"] = HELD if limits else 0
        assert self.ledger.submit(submission(job, prompt_tokens=ESTIMATE, **fields)) == Accepted(job)
        # A second submit of the same job changes nothing.
        if job not in self.accepted and limits:
            self.counted.add(job)
            self.spent[job] = 0
            self.of_key |= {job} if "key:k" in limits else set()
        self.accepted.add(job)
        return job

    @rule(job=jobs, stale=st.booleans(), crowded=st.booleans())
    def claim(self, job, stale, crowded):
        epoch = self.epoch(job) - stale
        was_queued = self.status(job) is JobStatus.QUEUED
        claimed = self.ledger.claim(job, epoch, crowded=crowded)
        parked = self.redis.hget(f"{self.prefix}job:{job}", "deferred") == "parked"
        assert (claimed is not None) <= (was_queued and not stale)
        assert (claimed is None) <= (stale or not was_queued or parked or crowded)
        if claimed is not None:
            self.running[job] = epoch
            # Whatever breakers say, the run holds the job; a detour is a candidate of its plan.
            assert self.status(job) is JobStatus.IN_PROGRESS
            assert claimed.detour is None or (claimed.detour.place in (0, 1) and not claimed.probe)

    @rule(name=st.sampled_from(["groq", "groq/m", "other/m"]), state=st.sampled_from(BreakerState))
    def set_breaker(self, name, state):
        self.redis.hset(f"{self.prefix}breakers", name, f"{state} 1 1 1 1 - -")

    @rule(
        job=jobs,
        status=st.sampled_from([JobStatus.COMPLETED, JobStatus.FAILED]),
        late=st.booleans(),
        good=st.sampled_from("01"),
    )
    def finish(self, job, status, late, good):
        epoch = self.running.get(job, 1) - late
        holds = self.status(job) is JobStatus.IN_PROGRESS and self.epoch(job) == epoch
        how = {"status": status, "evidence": f"groq/m {good} 5.0 4", "counted_microusd": COST}
        ended = self.ledger.finish(job, epoch, outcome(**how))
        assert ended == holds
        self.spend(job, COST if ended else 0)

    def spend(self, job, amount):
        if job in self.spent:
            self.spent[job] += amount

    @rule(job=jobs, delay_ms=st.sampled_from([0, 60_000]))
    def give_back(self, job, delay_ms):
        epoch = self.running.get(job, 1)
        holds = self.status(job) is JobStatus.IN_PROGRESS and self.epoch(job) == epoch
        if delay_ms:
            done = self.ledger.defer(job, epoch, 1, delay_ms, Told())
        else:
            done = self.ledger.hand_over(job, epoch, 1, WASTE)
            self.spend(job, WASTED if done else 0)
        assert done == holds

    @rule(job=jobs)
    def settle(self, job):
        epoch = self.running.get(job, 1)
        due = self.status(job) is JobStatus.CANCELLED and self.epoch(job) == epoch and job not in self.settled
        told = Told(counted_microusd=WASTED)
        assert self.ledger.settle(job, epoch, told, Usage(), 0) == due
        if due:
            self.settled.add(job)
            self.spend(job, WASTED)

    @rule(job=jobs, gate_ms=st.sampled_from([0, 1000, 10**7]), own_ms=st.sampled_from([0, 500]))
    def meet_a_rate_limit(self, job, gate_ms, own_ms):
        epoch = self.running.get(job, 1)
        holds = self.status(job) is JobStatus.IN_PROGRESS and self.epoch(job) == epoch
        deployment = f"{self.redis.hget(f'{self.prefix}job:{job}', 'deployment')}"
        found = self.ledger.find_room(job, epoch, own_ms, Told(limits=f"{deployment} {gate_ms} rpm 60 60000 0"))
        assert (found is not None) == holds
        if found is not None and found[0] is not Room.FULL:
            assert self.status(job) is JobStatus.QUEUED

    @rule(name=st.sampled_from(["groq/m", "other/m"]), level=st.floats(-5, 5), gate=st.booleans())
    def set_limits(self, name, level, gate):
        now = int(time.time() * 1000)
        text = f"{now + 5000 if gate else 0} {now} rpm 60 60000 {level:.3f} {now}"
        self.redis.hset(f"{self.prefix}permits", name, text)

    @rule()
    def release(self):
        self.ledger.release()

    @rule(job=jobs)
    def cancel(self, job):
        was_over = self.status(job) in ENDED
        _, cancelled = self.ledger.cancel(job, "acme")
        assert cancelled != was_over

    @rule()
    def heartbeat(self):
        lost = self.ledger.heartbeat(list(self.running.items()))
        for job, epoch in self.running.items():
            held = self.status(job) is JobStatus.IN_PROGRESS and self.epoch(job) == epoch
            assert (job in lost) != held

    @rule()
    def lose_all_messages(self):
        for queue in QUEUES:
            self.redis.delete(f"{self.prefix}{queue}\x06\x163")

    @rule()
    def everything_falls_due(self):
        for job in self.redis.zrange(f"{self.prefix}schedule", 0, -1):
            self.redis.zadd(f"{self.prefix}schedule", {job: 0})
        self.ledger.rescue()

    @invariant()
    def unfinished_jobs_stand_in_the_schedule(self):
        scheduled = set(self.redis.zrange(f"{self.prefix}schedule", 0, -1))
        for job in self.accepted:
            assert (job in scheduled) == (self.status(job) not in ENDED), job

    @invariant()
    def lists_have_every_job_and_every_failure(self):
        failures = Selection(statuses=frozenset({JobStatus.FAILED, JobStatus.EXPIRED}))
        listed, failed = (
            {job.id: job.status for job in self.ledger.listing.page("acme", wanted, limit=10).jobs}
            for wanted in (Selection(), failures)
        )
        statuses = {job: self.status(job) for job in self.accepted}
        assert listed == statuses
        assert failed == {job: status for job, status in statuses.items() if status in failures.statuses}

    @invariant()
    def whatever_got_no_answer_can_be_asked_again(self):
        for job in self.accepted:
            kept = self.redis.hexists(f"{self.prefix}job:{job}", "request")
            assert kept == (self.status(job) is not JobStatus.COMPLETED), job

    @invariant()
    def permitted_probes_are_not_exceeded(self):
        for name, text in self.redis.hgetall(f"{self.prefix}breakers").items():
            probes = text.split(" ")[5]
            live = [
                probe
                for probe in probes.split(",")
                if probe != "-"
                and self.status(probe.split(":")[0]) is JobStatus.IN_PROGRESS
                and self.epoch(probe.split(":")[0]) == int(probe.split(":")[1])
            ]
            known = sum(bucket.calls for bucket in Breaker.parse(text).ring)
            if text.startswith("half_open"):
                assert len(live) + known <= PERMITTED, name
            else:
                assert probes == "-", name

    @invariant()
    def parked_jobs_can_be_let_through(self):
        for job in self.accepted:
            fields = ("status", "deferred", "deployment", "epoch")
            status, deferred, deployment, epoch = self.redis.hmget(f"{self.prefix}job:{job}", *fields)
            if status == "queued" and deferred == "parked":
                assert self.redis.sismember(f"{self.prefix}parked", deployment)
                assert self.redis.zscore(f"{self.prefix}parked:{deployment}", f"{job}:{epoch}") is not None

    @invariant()
    def an_end_is_final(self):
        for job in self.accepted:
            status, answer = self.redis.hmget(f"{self.prefix}job:{job}", "status", "answer")
            if JobStatus(status) in ENDED:
                assert self.ended.setdefault(job, (status, answer)) == (status, answer)
                assert answer
            else:
                assert job not in self.ended

    @invariant()
    def limits_count_what_there_is(self):
        if not self.counted:
            return
        states = [self.status(job) for job in self.counted]
        kept = self.redis.hgetall(f"{self.prefix}limits:tenant:acme")
        assert int(kept["unfinished"]) == sum(state not in ENDED for state in states)
        assert int(kept["queued"]) == states.count(JobStatus.QUEUED)
        # A good end has used the seven tokens of `outcome`, as a failed one has; others have used nothing.
        used = {JobStatus.COMPLETED: 7, JobStatus.FAILED: 7, JobStatus.CANCELLED: 0, JobStatus.EXPIRED: 0}
        abandoned = {job for job in self.counted if self.redis.hget(f"{self.prefix}job:{job}", "losses") == "5"}
        unserved = states.count(JobStatus.FAILED) + states.count(JobStatus.CANCELLED) + states.count(JobStatus.EXPIRED)
        requests, tokens = map(int, kept["used"].split()[6:8])
        assert requests == len(self.counted) - unserved
        assert tokens == sum(used.get(state, ESTIMATE) for state in states) - 7 * len(abandoned)

    @invariant()
    def budgets_hold_what_is_under_way_and_keep_what_was_spent(self):
        for scope, jobs in (("tenant:acme", self.counted), ("key:k", self.of_key)):
            if jobs:
                _, *kept = map(int, self.redis.hget(f"{self.prefix}limits:{scope}", "used").split()[7:])
                held = HELD * sum(self.status(job) not in ENDED for job in jobs)
                spent = sum(self.spent[job] for job in jobs)
                assert (kept[0:2], kept[5:7]) == ([spent, held], [spent, held])

    @invariant()
    def each_end_is_told_once(self):
        told = [text.split(" ")[0] for text in self.redis.lrange(f"{self.prefix}replies:api", 0, -1)]
        assert sorted(told) == sorted(self.ended)


@pytest.mark.timeout(180)
def test_the_invariant_holds_under_any_order_of_steps(settings):
    """Whatever workers, callers and losses do in whatever order, no accepted job is forgotten or ends twice."""
    run_state_machine_as_test(
        type("Machine", (LedgerMachine,), {"settings": settings}),
        settings=hypothesis_settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
