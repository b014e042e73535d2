"""A running product with an account that has a Responses endpoint of its own, and one that has none."""

import json
import shutil
from pathlib import Path

from tests.support.stack import Stack, copy_configuration, without_exploration

PROVIDERS = ("openai", "groq")
NATIVE, TRANSLATED = "openai/gpt-5-mini", "groq/openai/gpt-oss-20b"
# A model that is served by the Responses endpoint and by nothing else.
ALONE = "openai/gpt-5-pro"
# Order of the two: the first of them is tried first.
NATIVE_FIRST, TRANSLATED_FIRST = "native-first", "translated-first"


def native_stack(folder: Path) -> Stack:
    """Start it on the shipped configuration in `folder`, with those accounts on and breakers that stay shut."""
    copy_configuration(folder)
    without_exploration(folder)
    rows = json.loads((folder / "providers.json").read_text())
    rows = {name: {**row, "enabled": name in PROVIDERS} for name, row in rows.items()}
    rows["openai"]["models"]["gpt-5-pro"] = {"capabilities": ["responses", "tools"]}
    (folder / "providers.json").write_text(json.dumps(rows))
    models = json.loads((folder / "models.json").read_text())
    models |= {NATIVE_FIRST: [NATIVE, TRANSLATED], TRANSLATED_FIRST: [TRANSLATED, NATIVE]}
    (folder / "models.json").write_text(json.dumps(models))
    (folder / "policies" / "breaker.json").write_text(
        '{"minimum_number_of_calls": 1000000, "consecutive_failures_threshold": 1000000}'
    )
    (folder / "policies" / "retry.json").write_text('{"budget_reserve": 1000000}')
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    tenant = {
        "tenant_id": "default",
        "api_keys": ["ak-demo123"],
        "providers": {"enabled": list(PROVIDERS)},
        "features": {"retry_attempts": 0},
    }
    (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
    return Stack(
        PROVIDERS, background=True, environment={"MODEL_ROUTER_CONFIG": str(folder), "MODEL_ROUTER_WAIT_S": "30"}
    )
