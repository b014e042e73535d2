"""What routing reads of a body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.request import RoutingRequest, input_tokens

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def chat(content, **fields):
    return {"model": "m", "messages": [{"role": "user", "content": content}], **fields}


def test_plain_request_needs_nothing():
    """A plain prompt has no needs, and about a quarter of its characters as tokens."""
    request = RoutingRequest.from_body(chat("x" * 400, max_tokens=7))
    assert request == RoutingRequest("m", prompt_tokens=104, max_tokens=7)


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        (chat("x", tools=[{"type": "function"}]), {"tools"}),
        (chat("x", tools=[]), set()),
        (chat("x", response_format={"type": "json_schema"}), {"json_schema"}),
        (chat("x", response_format={"type": "json_object"}), set()),
        (chat([{"type": "text", "text": "x"}]), set()),
        (chat([{"type": "image_url", "image_url": {"url": "https://h/i.png"}}]), {"vision"}),
    ],
)
def test_needs(body, needs):
    """Tools, pictures and schemas are needs; their empty or lesser forms are not."""
    assert RoutingRequest.from_body(body).needs == needs


def test_a_picture_does_not_count_its_bytes():
    """A data URL counts as one picture, not as its characters."""
    body = chat([{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10**6}}])
    assert 800 <= RoutingRequest.from_body(body).prompt_tokens < 2000


def test_fallback_models_follow_the_model_once():
    """`models` come after `model`, each once; without `model` the first of them leads."""
    assert RoutingRequest.from_body({"model": "a", "models": ["b", "a", "b"]}).wanted == ("a", "b")
    assert RoutingRequest.from_body({"models": ["b", "c"]}).wanted == ("b", "c")


def test_max_completion_tokens_goes_first():
    """OpenAI's newer name is read before the older one."""
    assert RoutingRequest.from_body(chat("x", max_tokens=5, max_completion_tokens=9)).max_tokens == 9


@given(
    st.dictionaries(
        st.sampled_from(["messages", "tools", "models", "response_format", "max_tokens", "functions"]), json_values
    ),
    json_values,
)
def test_no_body_makes_it_raise(body, content):
    """Odd values of known fields count for nothing and never raise."""
    assert RoutingRequest.from_body({"model": "m", **body}).prompt_tokens >= 0
    assert RoutingRequest.from_body(chat(content)).prompt_tokens >= 0


@pytest.mark.parametrize(
    ("text", "tokens", "longest"),
    [
        ("x" * 400, 101, 101),
        (["x" * 400, "y"], 102, 101),
        ([1, 2, 3], 3, 3),
        ([[1, 2, 3], [4]], 4, 3),
    ],
)
def test_embeddings_are_their_input(text, tokens, longest):
    """Tokens are counted and text is estimated; each input is read by itself, and there is no answer to be paid for."""
    request = RoutingRequest.from_embeddings({"model": "m", "input": text, "service_tier": "flex"})
    assert request.embeds
    assert (request.prompt_tokens, request.context_tokens, request.completion_tokens) == (tokens, longest, 0)
    assert request.priority == 6
    assert not RoutingRequest.from_body(chat("x")).embeds


@given(json_values)
def test_no_input_makes_it_raise(value):
    """Odd inputs count for nothing and never raise."""
    assert all(count >= 0 for count in input_tokens(value))
    assert RoutingRequest.from_embeddings({"model": "m", "input": value}).prompt_tokens >= 0
