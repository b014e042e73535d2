"""Urgent work goes ahead of the rest on the same provider, and a changed configuration is taken while running."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat, ended_object

pytestmark = pytest.mark.integration


@pytest.fixture
def narrow_stack(configuration_folder, tmp_path):
    """A product whose groq worker makes one call at a time."""
    folder = tmp_path / "config"
    shutil.copytree(configuration_folder, folder)
    file = folder / "providers.json"
    rows = json.loads(file.read_text())
    rows["groq"]["concurrency"] = 1
    file.write_text(json.dumps(rows))
    stack = Stack(("groq",), environment={"MODEL_ROUTER_CONFIG": str(folder), "MODEL_ROUTER_CONFIG_POLL_S": "0.2"})
    yield stack
    stack.stop()


def test_tiers_are_served_in_order(narrow_stack):
    """Behind one running call, priority goes before default, default before flex."""
    narrow_stack.sandbox.behave("groq", latency_ms=400)
    first = narrow_stack.post(chat("first", background=True)).json()
    wait_until(lambda: narrow_stack.sandbox.calls()["in_flight"] == 1, what="the first call")
    jobs = [
        narrow_stack.post(chat(tier, background=True, service_tier=tier)).json()
        for tier in ("flex", "default", "priority")
    ]
    for job in (first, *jobs):
        assert ended_object(narrow_stack, job["id"])["status"] == "completed"
    order = [entry["marker"] for entry in narrow_stack.sandbox.calls(log=True)["log"]]
    assert order == ["first", "priority", "default", "flex"]


def test_an_edited_configuration_is_taken_while_running(narrow_stack):
    """A new alias is served without a restart; a broken edit changes nothing."""
    file = Path(narrow_stack.environment["MODEL_ROUTER_CONFIG"]) / "models.json"
    aliases = json.loads(file.read_text())
    assert narrow_stack.post(chat(model="brand-new")).status_code == 404
    file.write_text(json.dumps({**aliases, "brand-new": ["groq/openai/gpt-oss-20b"]}))
    wait_until(lambda: narrow_stack.post(chat(model="brand-new")).status_code == 200, what="the new alias")
    file.write_text("{ broken")
    wait_until(lambda: "configuration.rejected" in narrow_stack.api.logs(), what="the refusal in the log")
    assert narrow_stack.post(chat(model="brand-new")).status_code == 200
