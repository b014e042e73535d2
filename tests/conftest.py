"""Fixtures every test may use: one Redis, one sandbox and one running product, each as if new for every test."""

import itertools
import json
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config.settings import Settings
from tests.support.machine import Machine
from tests.support.process_node import RedisNode
from tests.support.sandbox_process import SandboxProcess
from tests.support.stack import Stack, copy_configuration, without_exploration

# No timed tests: how long an example takes is the machine's business.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

_namespaces = itertools.count()

TENANTS = {
    "impatient": {
        "tenant_id": "impatient",
        "api_keys": ["ak-impatient"],
        "providers": {"enabled": ["groq", "google-gemini"]},
        "features": {"timeout_ms": 400},
    },
    "sealed": {
        "tenant_id": "sealed",
        "api_keys": ["ak-sealed"],
        "providers": {"enabled": ["groq"]},
        "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    },
    "rival": {"tenant_id": "rival", "api_keys": ["ak-rival"], "providers": {"enabled": ["groq"]}},
    **{
        name: {"tenant_id": name, "api_keys": [f"ak-{name}"], "providers": {"enabled": ["groq"]}, "quotas": quotas}
        for name, quotas in {
            "metered": {"rate_limit_per_minute": 3, "tokens_per_minute": 100_000, "max_tokens_per_request": 5000},
            "hammered": {"rate_limit_per_minute": 100},
            "daily": {"daily_requests": 1, "daily_tokens": 5000},
            "narrow": {"concurrent_jobs": 1},
            # Three answers of 1,000 tokens at a time, of which each costs a hundredth of that; and a few short ones.
            "thrifty": {"daily_usd": 0.001},
            "poor": {"daily_usd": 0.00005, "monthly_usd": 5, "budget_warning": 0.5},
        }.items()
    },
}

# That a busy machine is slow says nothing about the code.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")

_machine = pytest.StashKey[Machine]()
_folder = pytest.StashKey[str]()


def pytest_configure(config):
    """Tests in one process have no neighbours; where there are more, they take turns with those that stand alone."""
    if shared := getattr(config, "workerinput", {}).get("machine"):
        config.stash[_machine] = Machine(Path(shared))
        config.add_cleanup(config.stash[_machine].close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """pytest-xdist: each process of a run is told of the folder that they share."""
    stash = node.config.stash
    if _folder not in stash:
        folder = tempfile.TemporaryDirectory(prefix="test-run-")
        node.config.add_cleanup(folder.cleanup)
        stash[_folder] = folder.name
    node.workerinput["machine"] = stash[_folder]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Modules whose tests all need the machine to themselves come last, so that nobody waits for them."""
    beside = set()
    for item in items:
        marker = item.get_closest_marker("alone")
        if marker is None:
            beside.add(item.getparent(pytest.Module))
        else:
            assert marker.args, f"{item.nodeid}: alone, and for what reason?"
    items.sort(key=lambda item: item.getparent(pytest.Module) not in beside)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Wait for the machine outside of the test's own time-out."""
    if _machine not in item.config.stash:
        return (yield)
    with item.config.stash[_machine].used(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session")
def redis_node():
    """A real Redis, for as long as the tests run."""
    node = RedisNode()
    node.ready()
    yield node
    node.teardown()


@pytest.fixture
def settings(redis_node):
    """Settings that keep this test's keys apart from every other's."""
    return Settings(redis_url=redis_node.url, key_prefix=f"test{next(_namespaces)}:")


@pytest.fixture(scope="session")
def sandbox_process():
    """The sandbox in a process of its own, for as long as the tests run."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process):
    """A sandbox that behaves, and has counted nothing yet."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(scope="session")
def configuration_folder(tmp_path_factory):
    """The shipped configuration, a few tenants more, breakers that stay closed and retries without end."""
    folder = tmp_path_factory.mktemp("configuration") / "config"
    copy_configuration(folder)
    for name, tenant in TENANTS.items():
        (folder / "tenants" / f"{name}.json").write_text(json.dumps(tenant))
    # Tests make providers fail on purpose; what one does must not shut a provider out of the next.
    (folder / "policies" / "breaker.json").write_text(
        '{"minimum_number_of_calls": 1000000, "consecutive_failures_threshold": 1000000}'
    )
    (folder / "policies" / "retry.json").write_text('{"budget_reserve": 1000000}')
    # Two providers whose models go on with the beginning of an answer.
    rows = json.loads((folder / "providers.json").read_text())
    rows["hugging-face"]["models"]["openai/gpt-oss-20b"]["capabilities"].append("prefix")
    (folder / "providers.json").write_text(json.dumps(rows))
    without_exploration(folder)
    return folder


@pytest.fixture(scope="session")
def running_stack(configuration_folder):
    environment = {
        "MODEL_ROUTER_WAIT_S": "30",
        "MODEL_ROUTER_KEEP_ALIVE_S": "1",
        "MODEL_ROUTER_UNSTORED_S": "1",
        "MODEL_ROUTER_CONFIG": str(configuration_folder),
    }
    stack = Stack(background=True, environment=environment)
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def calm_stack(running_stack):
    """The running product as if new, for a module whose tests share what was done there once."""
    _calm(running_stack)
    yield running_stack
    _calm(running_stack)


@pytest.fixture
def stack(running_stack):
    """The running product with a sandbox that behaves, and nothing learnt of providers from a test before."""
    _calm(running_stack)
    yield running_stack
    _calm(running_stack)


def _calm(stack):
    stack.sandbox.reset()
    stack.redis.client.delete("mr:permits", "mr:health")
