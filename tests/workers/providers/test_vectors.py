"""The vectors of an answer: what was asked for comes out, and what is no vector is told."""

import base64
import contextlib
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import MalformedAnswer, NotExpressible, ProviderError
from workers.providers.vectors import completion_of, normalised

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def packed(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def made(vectors, given_input=None, **request):
    """The embeddings of an answer with these vectors to so many inputs."""
    inputs = ["x"] * len(vectors) if given_input is None else given_input
    completion = completion_of(vectors, 7, {"input": inputs, **request}, {"model": "m"})
    assert [item["index"] for item in completion.body["data"]] == list(range(len(inputs)))
    return [item["embedding"] for item in completion.body["data"]]


@given(st.integers(1, 20).flatmap(lambda size: st.lists(st.lists(floats, min_size=size, max_size=size), min_size=1)))
def test_either_form_becomes_the_one_asked_for(vectors):
    """Numbers and base64 turn into each other without loss of a 32-bit float, in the order of the inputs."""
    encoded = [packed(vector) for vector in vectors]
    assert made(vectors, encoding_format="base64") == encoded
    assert made(encoded, encoding_format="float") == vectors
    assert made(vectors) == made(encoded) == vectors


def test_base64_that_was_asked_for_is_not_opened():
    """The hot path hands the very text on."""
    text = packed([0.25, -1.0])
    assert made([text], encoding_format="base64")[0] is text


@pytest.mark.parametrize(
    "vector",
    [
        *(None, 5, "", "abc", "abcde", "\u00e9\u00e9\u00e9\u00e9", "====", "QUJD", {}, []),
        *(["x"], [None], [True], [[1.0]], [math.inf], [1.0, -math.inf, math.inf], [10**400], [math.nan]),
        packed([math.inf]),
        packed([math.nan]),
    ],
    ids=repr,
)
def test_what_is_no_vector_is_malformed(vector):
    """Texts that are not 32-bit floats, other types and numbers that are not finite are no answer."""
    with pytest.raises(MalformedAnswer):
        made([vector])


@pytest.mark.parametrize("vector", ["", "abc", "\u00e9\u00e9\u00e9\u00e9", [math.inf], [1e300], None])
def test_what_cannot_be_base64_is_malformed(vector):
    """Nor is what has no place in 32 bits, where base64 is asked for."""
    with pytest.raises(MalformedAnswer):
        made([vector], encoding_format="base64")


@pytest.mark.parametrize(
    ("vectors", "inputs"),
    [
        ([], ["a"]),
        ([[1.0]], ["a", "b"]),
        ([[1.0], [2.0]], "a"),
        ([[1.0], [2.0]], [1, 2]),
        ([[1.0], [1.0, 2.0]], ["a", "b"]),
    ],
)
def test_as_many_vectors_as_inputs_and_of_one_length(vectors, inputs):
    """Another number of vectors, or vectors of several lengths, are malformed."""
    with pytest.raises(MalformedAnswer):
        made(vectors, inputs)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_dimensions_that_were_ignored_are_told(encoding):
    """A vector of another length than asked for is not passed off as what was asked for."""
    assert made([[1.0] * 4], dimensions=4, encoding_format=encoding)
    with pytest.raises(NotExpressible) as caught:
        made([[1.0] * 5], dimensions=4, encoding_format=encoding)
    assert caught.value.param == "dimensions"


def test_usage_is_counted_or_estimated():
    """The provider's count is taken; without one the input's length tells, and tokens are counted as they are."""
    counted = completion_of([[1.0]], 7, {"input": "x"}, {"model": "m"})
    assert counted.body["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert (counted.usage.prompt_tokens, counted.usage.completion_tokens) == (7, 0)
    assert completion_of([[1.0]], 0, {"input": "x" * 400}, {}).usage.prompt_tokens == 101
    assert completion_of([[1.0], [1.0]], 0, {"input": [[1, 2], [3]]}, {}).usage.prompt_tokens == 3


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_normalised_has_length_one(vector):
    """Any vector but zero is brought to length one and keeps its direction."""
    largest = max(map(abs, vector))
    if not largest:
        assert normalised(vector) == vector
        return
    unit = normalised(vector)
    assert math.hypot(*unit) == pytest.approx(1)
    # Compared as parts of the largest: the length of numbers next to nothing is not exact.
    parts = [value / largest for value in vector]
    assert unit == pytest.approx([part / math.hypot(*parts) for part in parts])


@given(st.lists(anything, max_size=3), anything, st.sampled_from([None, "float", "base64"]))
def test_nothing_makes_it_fail_otherwise(vectors, given_input, encoding):
    """Whatever a vendor sends is an answer or a ProviderError."""
    with contextlib.suppress(ProviderError):
        completion_of(
            [normalised(vector) for vector in vectors], 0, {"input": given_input, "encoding_format": encoding}, {}
        )
