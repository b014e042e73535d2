"""A courier on the real Redis that may send to this machine, and a job that has ended."""

import dataclasses

import pytest

from config.configuration import Configuration
from tests.workers.conftest import outcome, submission
from workers.metrics.meter import Meter
from workers.webhooks.courier import Deliveries
from workers.webhooks.subjects import subjects_of


@pytest.fixture
def courier(ledger, settings):
    """What makes attempts in a worker."""
    configuration = Configuration(providers={}, aliases={}, policies={}, tenants={}, sandbox=False)
    own = dataclasses.replace(settings, webhook_allow_private=True)
    return Deliveries(ledger, own, lambda: configuration, subjects_of(ledger), Meter())


@pytest.fixture
def end(ledger):
    """End a job of the tenant "acme"; changes are Submission's fields."""

    def run(job_id="job_1", **changes):
        ledger.submit(submission(job_id, **changes))
        ledger.claim(job_id, 1)
        ledger.finish(job_id, 1, outcome())
        return job_id

    return run


@pytest.fixture
def endpoint(ledger):
    """Set up a receiver of "acme"."""

    def create(url, events=("*",), *, disabled=False, tenant="acme"):
        return ledger.endpoints.create(tenant, url, events, "", disabled=disabled)

    return create
