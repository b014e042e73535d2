"""Simon Willison's `llm` against the running product: two commands and a file, as its user would."""

import json

import pytest

from tests.support.client_environments import CLIENTS
from tests.support.client_run import SDK, run
from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

EXAMPLE = (SDK / "clients" / "extra-openai-models.yaml").read_text()


@pytest.fixture(scope="module")
def llm(calm_stack, tmp_path_factory):
    """Run `llm` for a user who has put the model file in its place and set the key; what it prints."""
    folder = tmp_path_factory.mktemp("llm")
    (folder / "extra-openai-models.yaml").write_text(EXAMPLE.replace("http://127.0.0.1:3000", calm_stack.api.url))

    def command(*arguments):
        ran = run([CLIENTS.bin / "llm", *arguments], CLIENTS, calm_stack, {"LLM_USER_PATH": str(folder)})
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    command("keys", "set", "model-router", "--value", KEY)
    return command


def test_prompt(llm):
    """A prompt is answered, and llm's own log has the answer and its tokens."""
    answer = llm("-m", "router", "--no-stream", "--usage", "hello")
    assert answer.strip().endswith("You said: hello")
    [logged] = json.loads(llm("logs", "--json", "-n", "1"))
    assert logged["response"] == answer.strip()
    assert logged["output_tokens"] > 0


def test_schema(llm):
    """`--schema` gives an object of it."""
    printed = llm("-m", "router", "--no-stream", "--schema", "city, degrees int", "hello")
    assert json.loads(printed) == {"city": "sample city", "degrees": 1}


def test_tool(llm):
    """A tool of llm's own is called, and its result answered."""
    assert "The tool said: " in llm("-m", "router", "--no-stream", "-T", "llm_version", "use llm_version")


def test_stream(llm):
    """Without options llm streams, and prints the same answer."""
    assert llm("-m", "router", "hello").strip().endswith("You said: hello")
