"""Model Router's configuration folder for a benchmark: one real provider, one alias, one tenant without limits."""

import json
from pathlib import Path

from benchmarks.request import KEY, MODEL

PROVIDER = "bench"


def write_configuration(folder: Path, provider_port: int, concurrency: int) -> None:
    """Write every file of the folder (created if missing) for the provider on loopback `provider_port`."""
    deployment = {"price": {"input": 0.10, "output": 0.50}, "context_length": 131_072, "capabilities": ["chat"]}
    _write(
        folder / "providers.json",
        {
            PROVIDER: {
                "name": PROVIDER,
                "type": "openai",
                "enabled": True,
                "endpoint": f"http://127.0.0.1:{provider_port}/v1",
                "api_key_env": None,
                "capabilities": ["chat"],
                "limits": {},
                "models": {"bench-model": deployment},
                "concurrency": concurrency,
            }
        },
    )
    _write(folder / "models.json", {MODEL: [f"{PROVIDER}/bench-model"]})
    add_tenant(folder, "bench", KEY)
    weights = {"cost": 0.3, "latency": 0.4, "uptime": 0.3}
    _write(
        folder / "policies" / "routing.json",
        {
            "balanced": {"strategy": "balanced", "weights": weights, "min_uptime": 0.90},
            "cost-optimized": {"strategy": "cost-optimized", "min_uptime": 0.95, "max_latency": 2000},
            "performance-first": {"strategy": "performance-first", "min_uptime": 0.90, "max_latency": 500},
        },
    )


def add_tenant(folder: Path, name: str, key: str) -> None:
    """Write the file of a tenant without limits; running processes read it within seconds."""
    _write(
        folder / "tenants" / f"{name}.json",
        {
            "tenant_id": name,
            "api_keys": [key],
            "providers": {"enabled": [PROVIDER], "routing_policy": "balanced"},
            "quotas": {},
            "features": {"failover": True, "metrics": True},
        },
    )


def _write(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=2) + "\n")
