"""Gemini's embeddings on the wire."""

import math

import pytest

from tests.sandbox.wire import send

MODEL = "gemini-embedding-001"
PATH = f"/google-gemini/v1beta/models/{MODEL}"


def request(text="hello", **fields):
    return {"model": f"models/{MODEL}", "content": {"parts": [{"text": text}]}, **fields}


def batch(sandbox, *requests):
    return send(sandbox.url, f"{PATH}:batchEmbedContents", {"requests": list(requests)})


def test_one_content(sandbox):
    """A content becomes one vector of length one, with its tokens."""
    answer = send(sandbox.url, f"{PATH}:embedContent", request())
    values = answer.json["embedding"]["values"]
    assert len(values) == 3072
    assert math.hypot(*values) == pytest.approx(1, abs=1e-4)
    assert answer.json["usageMetadata"]["promptTokenCount"] == 2


def test_a_batch(sandbox):
    """A batch's vectors are in its order, each as if it had been asked for alone."""
    answer = batch(sandbox, request("one"), request("two"), request("one", title="t", taskType="RETRIEVAL_DOCUMENT"))
    first, second, third = (embedding["values"] for embedding in answer.json["embeddings"])
    assert first == third != second
    assert send(sandbox.url, f"{PATH}:embedContent", request("two")).json["embedding"]["values"] == second


@pytest.mark.parametrize("fields", [{"outputDimensionality": 64}, {"embedContentConfig": {"outputDimensionality": 64}}])
def test_a_short_vector_is_cut(sandbox, fields):
    """A vector with fewer dimensions is the beginning of the whole one, and not of length one, as with the vendor."""
    [whole] = batch(sandbox, request()).json["embeddings"]
    [short] = batch(sandbox, request(**fields)).json["embeddings"]
    assert short["values"] == whole["values"][:64]
    assert math.hypot(*short["values"]) < 0.5


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ([request(user="u")], 'Unknown name "user"'),
        ([request(outputDimensionality="64")], "output_dimensionality"),
        ([request(outputDimensionality=0)], "output_dimensionality"),
        ([request("")], "contains an empty Part"),
        ([{"content": {"parts": [{"text": "x"}]}}], "model"),
        ([request(model="models/other")], "model"),
        ([{"model": f"models/{MODEL}"}], "content"),
        ([request()] * 101, "at most 100 requests can be in one batch"),
    ],
)
def test_what_it_refuses(sandbox, requests, told):
    """Unknown fields, wrong types, empty texts and too many requests are 400 in Google's form."""
    answer = batch(sandbox, *requests)
    assert answer.status == 400
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"
    assert told in answer.json["error"]["message"]


def test_models_keep_to_their_methods(sandbox):
    """A model that embeds does not generate, and one that generates does not embed."""
    for path in (f"{PATH}:generateContent", "/google-gemini/v1beta/models/gemini-2.5-flash:embedContent"):
        assert send(sandbox.url, path, request()).status == 404
    assert send(sandbox.url, PATH, method="GET").json["supportedGenerationMethods"] == ["embedContent"]
