"""A running product with three accounts that embed: two of one model, and Gemini's own."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.stack import Stack, copy_configuration, without_exploration

PROVIDERS = ("openai", "openrouter", "google-gemini")
# Both accounts serve it.
ALIAS = "text-embedding-3-small"
OPENAI, OPENROUTER = f"openai/{ALIAS}", f"openrouter/openai/{ALIAS}"
GEMINI = "google-gemini/gemini-embedding-001"


def embedding_stack(folder: Path) -> Stack:
    """Start it on the shipped configuration in `folder`, with those accounts on and breakers that stay shut."""
    copy_configuration(folder)
    without_exploration(folder)
    rows = json.loads((folder / "providers.json").read_text())
    rows = {name: {**row, "enabled": name in PROVIDERS} for name, row in rows.items()}
    (folder / "providers.json").write_text(json.dumps(rows))
    (folder / "policies" / "breaker.json").write_text(
        '{"minimum_number_of_calls": 1000000, "consecutive_failures_threshold": 1000000}'
    )
    (folder / "policies" / "retry.json").write_text('{"budget_reserve": 1000000}')
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    tenant = {"tenant_id": "default", "api_keys": ["ak-demo123"], "providers": {"enabled": list(PROVIDERS)}}
    (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
    return Stack(PROVIDERS, background=True, environment={"MODEL_ROUTER_CONFIG": str(folder)})


def ask(text: Any = "hello", model: str = ALIAS, **fields: Any) -> dict[str, Any]:
    """An embeddings request."""
    return {"model": model, "input": text, **fields}
