"""A configuration folder outside the project, with files in the agreed shapes and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings

FILES: dict[str, Any] = {
    "providers.json": {
        "groq": {
            "name": "groq",
            "type": "groq",
            "enabled": True,
            "endpoint": "https://api.groq.com/openai/v1/chat/completions",
            "api_key_env": "GROQ_API_KEY",
            "capabilities": ["chat"],
            "limits": {"requests_per_minute": 30, "requests_per_day": 14400},
        },
        "google-gemini": {
            "name": "google-gemini",
            "type": "google-gemini",
            "enabled": True,
            "endpoint": "https://generativelanguage.googleapis.com/v1beta/models/gemini-1.5-flash-latest:generateContent",
            "api_key_env": "GOOGLE_API_KEY",
            "capabilities": ["chat"],
        },
        "hugging-face": {
            "name": "hugging-face",
            "type": "hugging-face",
            "enabled": True,
            "endpoint": "https://router.huggingface.co/v1",
            "api_key_env": "HUGGINGFACE_API_TOKEN",
            "models": {
                "openai/gpt-oss-20b": {
                    "price": {"input": 0.10, "cached_input": 0.05, "output": 0.50},
                    "context_length": 131072,
                    "capabilities": ["chat", "tools"],
                }
            },
        },
    },
    "models.json": {
        "gpt-3.5-turbo": [
            "groq/openai/gpt-oss-20b",
            "google-gemini/gemini-2.5-flash",
            "hugging-face/openai/gpt-oss-20b",
        ]
    },
    "policies/routing.json": {
        "balanced": {
            "strategy": "balanced",
            "weights": {"cost": 0.3, "latency": 0.4, "uptime": 0.3},
            "min_uptime": 0.90,
            "description": "...",
        },
        "cost-optimized": {"strategy": "cost-optimized", "min_uptime": 0.95, "max_latency": 2000},
        "performance-first": {"strategy": "performance-first", "min_uptime": 0.90, "max_latency": 500},
    },
    "tenants/default.json": {
        "tenant_id": "default",
        "api_keys": ["ak-demo123"],
        "providers": {"enabled": ["groq", "google-gemini", "hugging-face"], "routing_policy": "balanced"},
        "quotas": {"daily_requests": 1000, "rate_limit_per_minute": 60},
        "features": {"failover": True, "metrics": True},
    },
    "tenants/enterprise.json": {
        "tenant_id": "enterprise",
        "name": "Enterprise",
        "api_keys": ["ak-secret-one", "ak-secret-two"],
        "providers": {
            "enabled": ["groq", "google-gemini"],
            "primary": "google-gemini",
            "fallback_order": ["groq"],
            "routing_policy": "balanced",
        },
        "routing_policy": "performance_first",
        "quotas": {"monthly_requests": 1_000_000, "max_tokens_per_request": 8192},
        "features": {"circuit_breaker": True, "retry_attempts": 3, "timeout_ms": 1500, "detailed_logging": True},
        "created_at": "2024-01-01T00:00:00Z",
        "status": "active",
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose configuration folder holds FILES."""
    folder = tmp_path / "elsewhere"
    for file, content in FILES.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return Settings(config_dir=folder, home=tmp_path / "home")


@pytest.fixture
def edit(settings: Settings) -> Callable[[str, str, Any], None]:
    """Set one place in one file, by its dotted path; `...` (Ellipsis) deletes it."""

    def change(file: str, path: str, to: Any) -> None:
        target = settings.config_dir / file
        content = json.loads(target.read_text())
        *steps, last = path.split(".")
        inner = content
        for step in steps:
            inner = inner[step]
        if to is ...:
            del inner[last]
        else:
            inner[last] = to
        target.write_text(json.dumps(content))

    return change
