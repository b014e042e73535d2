"""One running product for all tests that break nothing in it; the sandbox is reset between them."""

import json
import shutil

import pytest

from config.settings import PROJECT_ROOT
from tests.support.stack import Stack, without_exploration

TENANTS = {
    "impatient": {
        "tenant_id": "impatient",
        "api_keys": ["ak-impatient"],
        "providers": {"enabled": ["groq", "google-gemini"]},
        "features": {"timeout_ms": 400},
    },
    "rival": {"tenant_id": "rival", "api_keys": ["ak-rival"], "providers": {"enabled": ["groq"]}},
}


@pytest.fixture(scope="session")
def configuration_folder(tmp_path_factory):
    """The shipped configuration, a few tenants more, breakers that stay closed and retries without end."""
    folder = tmp_path_factory.mktemp("configuration") / "config"
    shutil.copytree(PROJECT_ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
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
        "MODEL_ROUTER_CONFIG": str(configuration_folder),
    }
    stack = Stack(background=True, environment=environment)
    yield stack
    stack.stop()


@pytest.fixture
def stack(running_stack):
    """The running product with a sandbox that behaves, and no limits learnt from a test before."""
    running_stack.sandbox.reset()
    running_stack.redis.client.delete("mr:permits")
    yield running_stack
    running_stack.sandbox.reset()
