"""The examples in docs/sandbox.md work when pasted."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.behaviour import Behaviour, Limits

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
EXAMPLES = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)


def paste(sandbox, example):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    script = example.replace("http://127.0.0.1:8899", sandbox.url)
    return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=30, check=True).stdout


def test_page_has_examples():
    """The page shows a call, both ways to set a behaviour, and the witness."""
    assert len(EXAMPLES) == 5


def test_call_is_answered(sandbox):
    """The first example is answered."""
    assert "[sandbox groq/openai/gpt-oss-20b] You said: hello" in paste(sandbox, EXAMPLES[0])


def test_fault_strikes_once(sandbox):
    """The example of a fault is overloaded, and recovers when pasted again."""
    assert json.loads(paste(sandbox, EXAMPLES[1]))["error"]["type"] == "overloaded_error"
    assert json.loads(paste(sandbox, EXAMPLES[1]))["stop_reason"] == "end_turn"


def test_stream_is_streamed(sandbox):
    """The example of a stream has events."""
    assert paste(sandbox, EXAMPLES[2]).count("data: ") > 5


def test_behaviour_is_set_and_shown(sandbox):
    """The control route's examples set, show and forget."""
    shown = {"latency_ms": 250.0, "limits": {"requests_per_minute": 30}}
    refused = {"fault": "status", "status": 401}
    assert paste(sandbox, EXAMPLES[3]) == json.dumps(shown) + json.dumps(refused) + json.dumps(shown) + "{}"


def test_witness_answers(sandbox):
    """The witness's examples all answer."""
    output = paste(sandbox, EXAMPLES[4])
    assert output.count('"total"') == 4
    assert output.endswith('{"status": "ok"}')


def test_every_field_is_documented():
    """The page names every field that a behaviour has."""
    page = PAGE.read_text()
    fields = {*Behaviour.__dataclass_fields__, *Limits.__dataclass_fields__} - {"given"}
    assert [name for name in sorted(fields) if f"`{name}`" not in page] == []
