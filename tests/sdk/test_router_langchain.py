"""LangChain against the running product, unmodified."""

import pytest

from tests.support.client_environments import CLIENTS
from tests.support.client_run import python_steps

pytestmark = [pytest.mark.sdk, pytest.mark.integration]


@pytest.fixture(scope="module")
def steps(calm_stack):
    return python_steps(CLIENTS, "langchain_client.py", calm_stack)


def test_invoke(steps):
    """A message list is answered, with usage and finish reason where LangChain's users look."""
    answer = steps["invoke"]
    assert answer["text"].endswith("You said: hello")
    assert answer["finish"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


def test_batch(steps):
    """Calls made at once are answered each in its place."""
    assert [text.rpartition(": ")[2] for text in steps["batch"]] == ["one", "two", "three"]


def test_bind_tools(steps):
    """A bound tool is called, and its result answered."""
    answer = steps["bind_tools"]
    assert answer["calls"] == ["get_weather"]
    assert answer["text"].endswith("The tool said: sunny in sample city")


@pytest.mark.parametrize("step", ["structured_output", "structured_output_by_tool"])
def test_structured_output(steps, step):
    """An answer is an instance of the caller's class, by JSON schema and by tool."""
    assert steps[step] == {"city": "sample city", "degrees": 1}


def test_stream(steps):
    """A stream comes in pieces that add up to the answer and its usage."""
    answer = steps["stream"]
    assert answer["pieces"] > 1
    assert answer["text"].endswith("You said: hello")
    assert answer["usage"]["output_tokens"] > 0


def test_streamed_tool_call(steps):
    """A tool call is put together from its pieces."""
    assert steps["stream_tools"] == [{"name": "get_weather", "args": {"city": "sample city"}}]


def test_embeddings(steps):
    """Documents and queries become vectors of one length."""
    lengths = steps["embeddings"]
    assert len(lengths) == 3
    assert len(set(lengths)) == 1
    assert lengths[0] > 0
