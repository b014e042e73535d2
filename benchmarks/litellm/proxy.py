"""How LiteLLM's proxy is run: its production checklist (docs.litellm.ai/docs/proxy/prod), and whatever favours it."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.litellm.environment import Environment
from benchmarks.request import KEY, MODEL

# As many calls at once to one host as it takes; its own 500 would have half of a crowd of 1,000 wait.
_MOST_CALLS = "5000"
# uvicorn's access log would be a line per request, which Model Router does not write either.
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"uvicorn": {"level": "WARNING"}, "uvicorn.access": {"level": "WARNING", "propagate": False}},
}


def write_configuration(folder: Path, provider_port: int) -> None:
    """Write the proxy's files: one deployment at the provider on loopback `provider_port`, and a master key."""
    configuration = {
        "model_list": [
            {
                "model_name": MODEL,
                "litellm_params": {
                    "model": "openai/bench-model",
                    "api_base": f"http://127.0.0.1:{provider_port}/v1",
                    "api_key": "any",
                },
            }
        ],
        # Its work per token for callbacks and caches, of which there are none. LiteLLM advises against this switch,
        # as usage is not booked then; here it favours LiteLLM.
        "litellm_settings": {"set_verbose": False, "request_timeout": 600, "disable_streaming_logging": True},
        "general_settings": {"master_key": KEY, "disable_spend_logs": True},
    }
    # JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(configuration, indent=1) + "\n")
    (folder / "logging.json").write_text(json.dumps(_LOGGING) + "\n")


def command(environment: Environment, folder: Path, port: int) -> list[str]:
    """Its command line: one worker, as Model Router has one API process."""
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    files = ["--config", str(folder / "config.yaml"), "--log_config", str(folder / "logging.json")]
    return [str(environment.bin / "litellm"), *arguments, *files]


def environ() -> Mapping[str, str]:
    """Its environment: production mode, errors only, its own price list instead of one from the network."""
    return {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "AIOHTTP_CONNECTOR_LIMIT": _MOST_CALLS,
        "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": _MOST_CALLS,
    }
