"""LiteLLM as a client of the running product, unmodified."""

import pytest

from tests.support.client_environments import LITELLM
from tests.support.client_run import python_steps

pytestmark = [pytest.mark.sdk, pytest.mark.integration]


@pytest.fixture(scope="module")
def steps(calm_stack):
    return python_steps(LITELLM, "litellm_client.py", calm_stack)


def test_completion(steps):
    """A completion is answered, with finish reason and usage."""
    answer = steps["completion"]
    assert answer["text"].endswith("You said: hello")
    assert answer["finish"] == "stop"
    assert answer["tokens"] > 0


def test_async_completion(steps):
    """The asynchronous call is answered alike."""
    assert steps["acompletion"].endswith("You said: hello")


def test_tools(steps):
    """A tool is called, and its result answered."""
    answer = steps["tools"]
    assert answer["calls"] == [["get_weather", {"city": "sample city"}]]
    assert answer["text"].endswith("The tool said: sunny")


@pytest.mark.parametrize(
    ("step", "status"), [("wrong_key", 401), ("unknown_model", 404), ("bad_field", 400), ("long_prompt", 400)]
)
def test_error_classes(steps, step, status):
    """LiteLLM raises the class of its own that its users catch."""
    assert steps[step]["status"] == status
    assert (
        steps[step]["class"]
        == {
            "wrong_key": "AuthenticationError",
            "unknown_model": "NotFoundError",
            "bad_field": "BadRequestError",
            "long_prompt": "ContextWindowExceededError",
        }[step]
    )


def test_stream(steps):
    """A stream comes in chunks that LiteLLM puts together to the answer and its usage."""
    answer = steps["stream"]
    assert answer["chunks"] > 1
    assert answer["text"].endswith("You said: hello")
    assert answer["finish"] == "stop"
    assert answer["tokens"] > 0


def test_embedding(steps):
    """Texts become vectors of one length."""
    first, second = steps["embedding"]
    assert first == second > 0
