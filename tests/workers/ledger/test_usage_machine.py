"""Usage under any order of steps: what was counted is what the steps told, and what records and removed ones say."""

import dataclasses
import itertools
from collections import defaultdict

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from tests.workers.ledger.test_usage import today
from workers.ledger.ledger import Ledger
from workers.ledger.record import Room, SecondUse, Told
from workers.pipeline import CommandPipeline
from workers.redis_client import connect
from workers.usage.figures import Figures

DEPLOYMENTS = ("groq/m", "other/m")
ENDS = {JobStatus.COMPLETED: Figures(1), JobStatus.FAILED: Figures(0, 1), JobStatus.EXPIRED: Figures(0, 1)}
used = st.tuples(st.builds(Usage, *[st.integers(0, 50)] * 4), st.integers(0, 100))
_runs = itertools.count()
_ids = itertools.count()


def figures_of(usage, cost_microusd):
    return Figures(0, 0, 0, *dataclasses.astuple(usage), cost_microusd)


class UsageMachine(RuleBasedStateMachine):
    """Steps on one Redis; each run of the machine has a namespace, and keeps its own account of what was used."""

    # Set by the test.
    settings = None
    jobs = Bundle("jobs")

    def __init__(self):
        super().__init__()
        own = dataclasses.replace(self.settings, key_prefix=f"{self.settings.key_prefix}{next(_runs)}:")
        self.client = connect(self.settings.redis_url)
        self.pipeline = CommandPipeline(self.client)
        self.ledger = Ledger(self.pipeline, own)
        self.prefix = own.key_prefix
        self.expected = defaultdict(Figures)
        # The epoch at which a job was last claimed; its tenant and key.
        self.running = {}
        self.owner = {}

    def teardown(self):
        self.pipeline.close()
        self.client.close()

    def field(self, job, name):
        value = self.client.hget(f"{self.prefix}job:{job}", name)
        return None if value is None else value.decode()

    def expect(self, job, figures, deployment=None):
        tenant, key = self.owner[job]
        provider, _, model = (deployment or self.field(job, "deployment")).partition("/")
        if figures != Figures():
            self.expected[tenant, key, provider, model] += figures

    @rule(target=jobs, tenant=st.sampled_from(["acme", "rival"]), key=st.sampled_from(["key_a", "key_b", ""]))
    def submit(self, tenant, key):
        job = f"job_{next(_ids)}"
        self.ledger.submit(submission(job, tenant=tenant, key=key))
        self.owner[job] = tenant, key or None
        return job

    @rule(job=jobs)
    def claim(self, job):
        epoch = self.field(job, "epoch")
        if epoch and self.ledger.claim(job, int(epoch)):
            self.running[job] = int(epoch)

    @rule(
        job=jobs,
        status=st.sampled_from([*ENDS]),
        spent=used,
        second=st.none() | st.tuples(used, st.booleans()),
        twice=st.booleans(),
    )
    def finish(self, job, status, spent, second, twice):
        own, beside = figures_of(*spent), None
        whole = spent
        if second is not None:
            (usage, cost), answered = second
            beside = SecondUse("other/m", answered and status is JobStatus.COMPLETED, usage, cost)
            whole = (spent[0] + usage, spent[1] + cost)
        deployment = self.field(job, "deployment")
        told = outcome(status=status, usage=whole[0], cost_microusd=whole[1], second=beside)
        if self.ledger.finish(job, self.running.get(job, 0), told):
            end = ENDS[status]
            if beside is not None:
                self.expect(job, figures_of(*second[0]) + (end if beside.answered else Figures()), "other/m")
            self.expect(job, own + (Figures() if beside is not None and beside.answered else end), deployment)
            if twice:
                assert not self.ledger.finish(job, self.running[job], told)

    @rule(job=jobs, place=st.sampled_from([0, 1]), spent=used)
    def hand_over(self, job, place, spent):
        deployment = self.field(job, "deployment")
        if self.ledger.hand_over(job, self.running.get(job, 0), place, Told(spent=spent[0], spent_microusd=spent[1])):
            # A cost without a token there is none.
            self.expect(job, figures_of(*spent) if spent[0] != Usage() else Figures(), deployment)

    @rule(job=jobs, spent=used)
    def meet_a_rate_limit(self, job, spent):
        deployment = self.field(job, "deployment")
        found = self.ledger.find_room(job, self.running.get(job, 0), 0, Told(spent=spent[0], spent_microusd=spent[1]))
        if found is not None and found[0] is not Room.FULL:
            self.expect(job, figures_of(*spent) if spent[0] != Usage() else Figures(), deployment)

    @rule(job=jobs, settle=st.none() | used)
    def cancel(self, job, settle):
        was_running = self.field(job, "status") == "in_progress"
        epoch = self.field(job, "epoch")
        cancelled = self.ledger.cancel(job, self.owner[job][0])
        if cancelled and cancelled[1]:
            self.expect(job, Figures(0, 0, 1))
            if was_running and settle is not None:
                assert self.ledger.settle(job, int(epoch), Told(attempts="{}"), *settle)
                self.expect(job, figures_of(*settle))
                assert not self.ledger.settle(job, int(epoch), Told(attempts="{}"), *settle)

    @rule(job=jobs)
    def forget(self, job):
        self.ledger.forget(job, self.owner[job][0])

    @rule(job=jobs)
    def let_expire(self, job):
        if self.field(job, "status") in ("queued", "in_progress"):
            self.client.hset(f"{self.prefix}job:{job}", "deadline", 1)
            self.client.zadd(f"{self.prefix}schedule", {job: 0})
            self.ledger.rescue()
            self.expect(job, ENDS[JobStatus.EXPIRED])

    @invariant()
    def everything_told_is_counted_once(self):
        days = [(tenant, today()) for tenant in ("acme", "rival")]
        counted = {
            (entry.tenant, entry.key, entry.provider, entry.model): entry.figures
            for entry in self.ledger.usage.entries(days)
        }
        assert counted == self.expected

    @invariant()
    def the_records_say_the_same(self):
        report = self.ledger.reconciliation().compare()
        assert not report.differences
        assert {tenant for tenant, _ in report.compared} == {tenant for tenant, *_ in self.expected}


@pytest.mark.timeout(120)
def test_usage_adds_up_under_any_order_of_steps(settings):
    """Whatever ends, fails over, is cancelled, settled or forgotten in whatever order, all is counted once."""
    run_state_machine_as_test(
        type("Machine", (UsageMachine,), {"settings": settings}),
        settings=hypothesis_settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
