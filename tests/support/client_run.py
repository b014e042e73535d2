"""Runs the examples of tests/sdk against a running product, each in its own environment, and reads what they print."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_environments import NODE, Environment, PythonEnvironment, in_ci, stands
from tests.support.stack import KEY, Stack

SDK = Path(__file__).resolve().parents[1] / "sdk"
# Settings for the same clients, or proxies, that whoever runs the tests has are none of their business.
_FOREIGN = ("OPENAI_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_", "LLM_", "PYTHON")
_RUN_S = 100


class Steps(Mapping[str, Any]):
    """What each step of an example returned; asking for one that failed shows its error."""

    def __init__(self, ran: subprocess.CompletedProcess[str]):
        lines = [line for line in ran.stdout.splitlines() if line.startswith('{"step"')]
        self._told = {told["step"]: told for told in map(json.loads, lines)}
        self._ending = f"exit status {ran.returncode}\n{ran.stderr[-4000:]}"

    def __getitem__(self, step: str) -> Any:
        assert step in self._told, f"{step} was never reached: {self._ending}"
        assert "error" not in self._told[step], self._told[step]["error"]
        return self._told[step]["answer"]

    def __iter__(self):
        return iter(self._told)

    def __len__(self):
        return len(self._told)


def python_steps(environment: PythonEnvironment, script: str, stack: Stack) -> Steps:
    """Run a script of tests/sdk/clients."""
    return Steps(run([environment.bin / "python", SDK / "clients" / script], environment, stack))


def node_steps(script: str, stack: Stack) -> Steps:
    """Run a script of tests/sdk/node; skips where there is no Node, which CI must have."""
    if not NODE.is_possible:
        assert not in_ci(), "node and npm are not found, and in CI no client is left out"
        pytest.skip("node and npm are not installed")
    return Steps(run(["node", SDK / "node" / script], NODE, stack))


def run(
    argv: Sequence[str | Path], environment: Environment, stack: Stack, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a client's program to its end, told where the product is."""
    assert stands(environment), f"the clients of {environment.name!r} are not installed as locked: make install-clients"
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    told = {
        "BASE_URL": f"{stack.api.url}/v1",
        "API_KEY": KEY,
        "NO_PROXY": "*",
        # LiteLLM asks the internet for a price list at every start unless it is told that its own will do.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    return subprocess.run(
        argv, env={**own, **told, **(extra or {})}, capture_output=True, text=True, timeout=_RUN_S, check=False
    )
