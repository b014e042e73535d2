"""What routing believes of the dialects is what their adapters do."""

from collections.abc import Mapping

import pytest

from routing.parameters import LABELS, NOT_HONOURED, asks_for, questionable
from workers.providers import anthropic_request, gemini_request
from workers.providers.groq import GroqProvider
from workers.providers.hugging_face import HuggingFaceProvider
from workers.providers.openai import OpenAIProvider
from workers.providers.registry import DIALECTS

TABLES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "groq": (GroqProvider.DROPPED, GroqProvider.REFUSED),
    "hugging-face": (HuggingFaceProvider.DROPPED, HuggingFaceProvider.REFUSED),
    "openai": (OpenAIProvider.DROPPED, OpenAIProvider.REFUSED),
    "google-gemini": (gemini_request.DROPPED, gemini_request.REFUSED),
    "anthropic": (anthropic_request.DROPPED, anthropic_request.REFUSED),
}


def test_every_dialect_is_looked_at():
    """No dialect is left out of the comparison below."""
    assert TABLES.keys() == DIALECTS.keys()


@pytest.mark.parametrize("dialect", TABLES)
def test_routing_knows_what_the_adapter_leaves_out(dialect):
    """A parameter the adapter drops or refuses is in routing's table, and no other; labels are not parameters."""
    dropped, refused = TABLES[dialect]
    assert NOT_HONOURED.get(dialect, frozenset()) == (dropped.keys() | refused.keys()) - LABELS


def test_a_harmless_value_asks_for_nothing():
    """Clients that send every field at its default ask for nothing."""
    body = {"n": 1, "logprobs": False, "parallel_tool_calls": False, "seed": None, "modalities": ["text"]}
    assert questionable(body) == frozenset()
    assert questionable({**body, "n": 2, "tools": [{}]}) == {"n", "parallel_tool_calls"}
    assert asks_for({"seed": 0}, "seed")
