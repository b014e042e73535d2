"""The API tried by its own document: nothing that is sent brings a 5xx, or an answer that is not documented."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.conformance import closed
from tests.support.process_node import wait_until
from tests.support.stack import KEY

pytestmark = pytest.mark.integration
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LONGEST_S = 110
MODELS = ("fast", "groq/openai/gpt-oss-20b")
EMBEDDERS = ("gemini-embedding-001",)
PROVIDERS = ("groq", "google-gemini", "hugging-face")


def choice(*values):
    """One of these, or nothing."""
    return {"enum": [*values, None]}


def reachable(document):
    """The document with what the running configuration can serve in place of what could be asked for.

    Else nearly every request would name a model that there is none of, and no job would be made. A deadline is one that
    can be met: the 504 of another is documented, and right. Nothing is sent to a made-up address.
    """
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if "webhook_url" in schema.get("properties", ()):
            models = list(EMBEDDERS if name == "EmbeddingsRequest" else MODELS)
            schema["properties"] |= {
                "model": {"enum": models},
                "models": {"type": ["array", "null"], "maxItems": 3, "items": {"enum": models}},
                "deadline_s": {"type": ["number", "null"], "minimum": 20, "maximum": 600},
                "webhook_url": {"type": "null"},
                "routing_policy": choice("balanced", "cost-optimized", "performance-first"),
            }
            # The conversation that another response ended: there is none.
            schema["properties"] |= {
                name: {"type": "null"} for name in ("previous_response_id",) if name in schema["properties"]
            }
    names = {"type": ["array", "null"], "items": {"enum": list(PROVIDERS)}}
    schemas["PreferencesRequest"]["properties"] |= dict.fromkeys(("order", "only", "ignore"), names)
    return document


def webhooks(stack):
    """The jobs that have a webhook to deliver, or had one."""
    client = stack.redis.client
    return {*client.zrange("mr:outbox", 0, -1), *client.scan_iter("mr:delivery:*", count=1000)}


def test_the_api_holds_to_its_document(stack, tmp_path):
    """Made-up requests, sound and not: no 5xx, only documented statuses, types, headers and shapes; keys are needed."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(reachable(closed(stack.get("/openapi.json").json()))))
    before, deliveries = stack.job_count(), webhooks(stack)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run", file),
            *("--url", stack.api.url, "--header", f"Authorization: Bearer {KEY}", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert webhooks(stack) == deliveries, "something was sent to a made-up address"
    assert stack.job_count() > before + 20, "hardly a request was taken: nothing was tried"
    assert "request.failed" not in stack.api.logs()
    wait_until(lambda: stack.jobs_left() == 0, what="the end of the jobs")
