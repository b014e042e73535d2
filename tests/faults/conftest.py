"""Products of their own for tests that kill parts of them, with leases short enough to see the rescue."""

import json

import pytest

from tests.support.stack import Stack, copy_configuration, without_exploration

# A worker is given up after LEASE_S of silence; the rest follows the shipped proportions.
LEASE_S = 6.0
SETTINGS = {
    "MODEL_ROUTER_LEASE_S": str(LEASE_S),
    "MODEL_ROUTER_HEARTBEAT_S": "1",
    "MODEL_ROUTER_RESCUE_INTERVAL_S": "0.5",
    "MODEL_ROUTER_REQUEUE_CHECK_S": "2",
}


@pytest.fixture
def start_stack(tmp_path):
    """Start a product whose groq worker runs up to 1,500 jobs at once; everything ends with the test."""
    started = []

    def start(**options):
        folder = tmp_path / "config"
        copy_configuration(folder)
        without_exploration(folder)
        file = folder / "providers.json"
        rows = json.loads(file.read_text())
        rows["groq"]["concurrency"] = 1500
        file.write_text(json.dumps(rows))
        environment = {**SETTINGS, "MODEL_ROUTER_CONFIG": str(folder), **options.pop("environment", {})}
        stack = Stack(options.pop("providers", ("groq",)), environment=environment, **options)
        started.append(stack)
        return stack

    yield start
    for stack in started:
        stack.stop()
