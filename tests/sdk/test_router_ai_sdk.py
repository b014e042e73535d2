"""Vercel's AI SDK against the running product, unmodified."""

import pytest

from tests.support.client_run import node_steps

pytestmark = [pytest.mark.sdk, pytest.mark.integration]


@pytest.fixture(scope="module")
def steps(calm_stack):
    return node_steps("ai_sdk.mjs", calm_stack)


def test_generate_text(steps):
    """`generateText` is answered, with finish reason and usage."""
    assert steps["text"]["text"].endswith("You said: hello")
    assert steps["text"]["finish"] == "stop"
    assert steps["text"]["tokens"] > 0


def test_tool_call(steps):
    """A tool is called and run between two steps, and its result answered."""
    assert steps["toolCall"]["called"] == ["get_weather"]
    assert steps["toolCall"]["finishes"] == ["tool-calls", "stop"]
    assert steps["toolCall"]["text"].endswith("The tool said: sunny in sample city")


def test_structured_output(steps):
    """An output is an object of the caller's Zod schema."""
    assert steps["structured"] == {"city": "sample city", "degrees": 1}


def test_stream_text(steps):
    """`streamText` gives pieces that add up to the answer, with finish reason and usage."""
    assert steps["stream"]["pieces"] > 1
    assert steps["stream"]["text"].endswith("You said: hello")
    assert steps["stream"]["finish"] == "stop"
    assert steps["stream"]["tokens"] > 0


def test_streamed_tool_call(steps):
    """A streamed tool call is run, and its result answered."""
    assert steps["streamedToolCall"]["called"] == ["get_weather"]
    assert steps["streamedToolCall"]["text"].endswith("The tool said: sunny in sample city")


def test_embed_many(steps):
    """Texts become vectors of one length."""
    first, second = steps["embeddings"]
    assert first == second > 0
