"""What the README and docs/streams.md tell a newcomer to paste works."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.integration
README = (PROJECT_ROOT / "README.md").read_text()
STREAMS = (PROJECT_ROOT / "docs" / "streams.md").read_text()
ADDRESS = "http://127.0.0.1:3000"


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def curl(stack):
    """Run the README's n-th curl example against the running product."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    def paste(number, text=README):
        examples = [block for block in blocks("sh", text) if block.startswith("curl")]
        command = examples[number].replace(ADDRESS, stack.api.url)
        return subprocess.run(["sh", "-ec", command], capture_output=True, text=True, timeout=30, check=True).stdout

    return paste


def test_the_first_example_is_answered(curl):
    """The newcomer's first curl gets a completion."""
    assert "Hello!" in json.loads(curl(0))["choices"][0]["message"]["content"]


def test_the_second_example_is_a_job(curl):
    """The newcomer's second curl gets a job that can be polled."""
    assert json.loads(curl(1))["object"] == "job"


def test_the_stream_is_streamed(curl):
    """The example of docs/streams.md gets numbered events and their end."""
    told = curl(0, STREAMS)
    assert told.startswith("id: 1\ndata: ")
    assert told.endswith("data: [DONE]\n\n")


def test_openais_own_client_runs_unchanged(stack):
    """The Python example prints an answer."""
    [example] = blocks("python")
    ran = subprocess.run(
        [sys.executable, "-c", example.replace(ADDRESS, stack.api.url)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Hello!" in ran.stdout, ran.stderr
    assert ran.stdout.splitlines()[-1] == "3072", "the length of an embedding"
