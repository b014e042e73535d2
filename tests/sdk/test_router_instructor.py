"""Instructor against the running product, unmodified."""

import pytest

from tests.support.client_environments import CLIENTS
from tests.support.client_run import python_steps

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

# The sandbox makes its values from the schema.
PERSON = {"name": "sample name", "age": 1, "places": [{"city": "sample city"}]}


@pytest.fixture(scope="module")
def steps(calm_stack):
    return python_steps(CLIENTS, "instructor_client.py", calm_stack)


def test_extraction_by_tool(steps):
    """A nested object is extracted by a forced tool call, and the completion with its usage stays within reach."""
    assert steps["extract"]["person"] == PERSON
    assert steps["extract"]["tokens"] > 0


def test_extraction_by_json_schema(steps):
    """A nested object is extracted by a JSON schema."""
    assert steps["extract_by_json_schema"] == PERSON


def test_streamed_extraction(steps):
    """The object grows while the answer streams in, and ends whole."""
    assert steps["extract_in_part"]["states"] > 1
    assert steps["extract_in_part"]["last"] == PERSON
