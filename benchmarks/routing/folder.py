"""The product's configuration folder for a scenario: its providers at the sandbox, with prices that may be edited."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.folder import write_configuration
from benchmarks.request import KEY, MODEL
from benchmarks.routing.scenario import Condition

# The variable that holds the providers' key, and the path of a provider's chat completions at the sandbox.
KEY_VARIABLE = "ROUTING_BENCH_KEY"
UPSTREAM_MODEL = "bench-model"


def account(strategy: str, provider: str) -> str:
    """The sandbox's name for a provider as one strategy sees it: limits and counts are kept apart by it."""
    return f"{strategy}-{provider}"


def write_scenario_configuration(
    folder: Path, strategy: str, sandbox_port: int, providers: Mapping[str, Condition], policy: str
) -> None:
    """Write every file of the folder: what the other benchmarks have, with these providers instead of their one."""
    write_configuration(folder, sandbox_port, concurrency=300)
    write_providers(folder, strategy, sandbox_port, providers)
    _write(folder / "models.json", {MODEL: [f"{name}/{UPSTREAM_MODEL}" for name in providers]})
    tenant = {
        "tenant_id": "bench",
        "api_keys": [KEY],
        "providers": {"enabled": list(providers), "routing_policy": policy},
        "features": {"failover": True, "metrics": True},
    }
    _write(folder / "tenants" / "bench.json", tenant)


def write_providers(folder: Path, strategy: str, sandbox_port: int, providers: Mapping[str, Condition]) -> None:
    """Write providers.json alone, in one step, as an operator's live edit would."""
    _write(
        folder / "providers.json",
        {name: _row(name, strategy, sandbox_port, condition) for name, condition in providers.items()},
    )


def _row(name: str, strategy: str, sandbox_port: int, condition: Condition) -> dict[str, Any]:
    price = {"input": condition.price.input, "output": condition.price.output}
    return {
        "name": name,
        "type": "openai",
        "enabled": True,
        "endpoint": f"http://127.0.0.1:{sandbox_port}/{account(strategy, name)}/v1",
        "api_key_env": KEY_VARIABLE,
        "capabilities": ["chat"],
        "limits": {},
        "models": {UPSTREAM_MODEL: {"price": price, "context_length": 131_072, "capabilities": ["chat"]}},
        "concurrency": 300,
    }


def _write(file: Path, value: object) -> None:
    fresh = file.with_name(f".{file.name}.fresh")
    fresh.write_text(json.dumps(value, indent=2) + "\n")
    fresh.replace(file)
