"""OpenAI's package for Node against the running product, unmodified."""

import pytest

from tests.support.client_run import node_steps

pytestmark = [pytest.mark.sdk, pytest.mark.integration]


@pytest.fixture(scope="module")
def steps(calm_stack):
    return node_steps("openai.mjs", calm_stack)


def test_completion(steps):
    """A completion is answered, with its usage."""
    assert steps["completion"]["text"].endswith("You said: hello")
    usage = steps["completion"]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_tools(steps):
    """The tool runner calls the tool and gets the answer to its result."""
    assert steps["tools"]["roles"] == ["user", "assistant", "tool", "assistant"]
    assert steps["tools"]["text"].endswith("The tool said: sunny in sample city")


def test_structured_output(steps):
    """`parse` gives an object of the caller's Zod schema."""
    assert steps["structured"] == {"city": "sample city", "degrees": 1}


def test_models(steps):
    """Models are listed page by page, and one is shown."""
    assert "groq/openai/gpt-oss-20b" in steps["models"]["found"]
    assert steps["models"]["shown"] in steps["models"]["found"]


def test_refusal(steps):
    """A wrong key is the package's own AuthenticationError."""
    assert steps["refusal"] == {"isItsClass": True, "status": 401, "code": "invalid_api_key"}


def test_stream(steps):
    """A stream comes in pieces that add up to the answer, with its usage at the end."""
    assert steps["stream"]["pieces"] > 1
    assert steps["stream"]["text"].endswith("You said: hello")
    assert steps["stream"]["usage"]["completion_tokens"] > 0


def test_streamed_tools(steps):
    """The tool runner works on streams, too."""
    assert steps["streamedTools"]["roles"] == ["user", "assistant", "tool", "assistant"]
    assert steps["streamedTools"]["text"].endswith("The tool said: sunny in sample city")


def test_embeddings(steps):
    """Texts become vectors of one length."""
    first, second = steps["embeddings"]
    assert first == second > 0
