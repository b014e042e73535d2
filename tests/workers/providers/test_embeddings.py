"""Embeddings in every dialect: the calls, against the sandbox's own wire formats, and the answers vendors give."""

import contextlib
import json
import math

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from routing.errors import (
    ContextLengthExceeded,
    MalformedAnswer,
    NotExpressible,
    ProviderError,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
)
from routing.request_fields import ROUTER_FIELDS
from tests.workers.providers.test_vectors import anything, packed
from workers.providers.base import Account, Reply
from workers.providers.registry import DIALECTS, adapter

EMBEDDING = {
    "openai": ("/openai/v1", "text-embedding-3-small"),
    "google-gemini": ("/google-gemini/v1beta", "gemini-embedding-001"),
}
WITHOUT = DIALECTS.keys() - EMBEDDING.keys()


class Caller:
    """Sends what a dialect builds to the sandbox, and has it read what came."""

    def __init__(self, dialect, url, key="sk-test"):
        path, self.model = EMBEDDING[dialect]
        self.provider = adapter(Account(dialect, url + path, key), dialect)

    def __call__(self, text, **request):
        request = {"model": "asked", "input": text, **request}
        call = self.provider.embed(self.model, request)
        answer = requests.post(call.url, data=call.body, headers=call.headers, timeout=20)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        completion = self.provider.embeddings(self.model, request, Reply(answer.status_code, headers, answer.content))
        CreateEmbeddingResponse.model_validate(completion.body)
        return completion


@pytest.fixture(params=EMBEDDING)
def ask(request, sandbox):
    """A call to one dialect after the other."""
    return Caller(request.param, sandbox.url)


def provider(dialect="openai", endpoint="https://example.test/v1"):
    return adapter(Account(dialect, endpoint, "sk-test"), dialect)


def sent(dialect="openai", endpoint="https://example.test/v1", text="hi", **request):
    return json.loads(provider(dialect, endpoint).embed("m", {"model": "asked", "input": text, **request}).body)


def read(body, text="hi", dialect="openai", status=200, **request):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return provider(dialect).embeddings("m", {"input": text, **request}, Reply(status, {}, raw))


def test_one_vector_for_each_input(ask):
    """Inputs come back as vectors in their order, with the tokens counted."""
    completion = ask(["one", "two", "one"])
    first, second, third = (item["embedding"] for item in completion.body["data"])
    assert first == third != second
    assert completion.body["model"] == ask.model
    assert completion.usage.prompt_tokens == completion.body["usage"]["total_tokens"] == 3
    assert completion.usage.completion_tokens == 0


def test_every_field(ask):
    """Every field of OpenAI's and of the router's together is accepted: a strict vendor sees none it does not know."""
    ours = dict.fromkeys(ROUTER_FIELDS, 1)
    completion = ask("hi", dimensions=16, encoding_format="float", user="u", **ours)
    assert len(completion.body["data"][0]["embedding"]) == 16


def test_nulls_are_not_sent(ask):
    """Fields a client sends as null ask for nothing."""
    assert ask("hi", dimensions=None, encoding_format=None, user=None).body["data"]


def test_short_vectors_have_length_one(ask):
    """Whoever shortened a vector, its length is one."""
    assert math.hypot(*ask("hi", dimensions=100).body["data"][0]["embedding"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"fault": "status", "status": 503}, ProviderFailed),
        ({"fault": "status", "status": 429}, ProviderRateLimited),
        ({"fault": "status", "status": 404}, ProviderMisconfigured),
        ({"fault": "malformed"}, MalformedAnswer),
    ],
)
def test_errors_are_classed_as_a_chats(ask, sandbox, behaviour, error):
    """An embeddings answer that is not 2xx, or no JSON, is the error a chat's would be."""
    sandbox.behave(**behaviour)
    with pytest.raises(error):
        ask("hi")


@pytest.mark.parametrize("dialect", sorted(WITHOUT))
def test_dialects_without_embeddings_say_so(dialect):
    """They refuse before a call is made, so that the job goes elsewhere."""
    with pytest.raises(NotExpressible, match="has no embeddings"):
        provider(dialect).embed("m", {"input": "hi"})


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://h.test", "https://h.test/v1/embeddings"),
        ("https://h.test/v1/", "https://h.test/v1/embeddings"),
        ("https://h.test/v1/chat/completions?api-version=7", "https://h.test/v1/embeddings?api-version=7"),
        ("https://h.test/v1/embeddings", "https://h.test/v1/embeddings"),
        ("https://h.test/embeddings", "https://h.test/embeddings"),
    ],
)
def test_url(endpoint, url):
    """A base URL, that of the chat and that of the embeddings reach the embeddings."""
    assert provider(endpoint=endpoint).embed("m", {"input": "hi"}).url == url


def test_an_embeddings_endpoint_has_its_models_beside_it():
    """A row whose endpoint is the embeddings' is checked by the list of models beside them."""
    assert provider(endpoint="https://h.test/v1/embeddings").listing().url == "https://h.test/v1/models"


def test_openai_request():
    """The request goes out as it came in; Mistral has its own name for dimensions."""
    assert sent(text=[[1, 2]], encoding_format="base64", dimensions=8, input_type="query") == {
        "model": "m",
        "input": [[1, 2]],
        "encoding_format": "base64",
        "dimensions": 8,
        "input_type": "query",
    }
    mistral = sent(endpoint="https://api.mistral.ai/v1", dimensions=8)
    assert mistral == {"model": "m", "input": "hi", "output_dimension": 8}


def test_order_is_that_of_the_index():
    """A vendor may answer in any order if it says which is which; places that do not add up are malformed."""
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]
    found = read({"data": data, "usage": {"total_tokens": 3}}, ["a", "b"])
    assert [item["embedding"] for item in found.body["data"]] == [[0.0], [1.0]]
    assert found.usage.prompt_tokens == 3
    assert read({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}, ["a", "b"]).body["model"] == "m"
    for places in ((0, 0), (1, 2), (0, None), (0, "1")):
        broken = [{"index": place, "embedding": [1.0]} for place in places]
        with pytest.raises(MalformedAnswer):
            read({"data": broken}, ["a", "b"])


def test_a_vendor_that_ignores_the_encoding():
    """Numbers become base64, and base64 numbers, where the vendor sent the other."""
    assert read({"data": [{"embedding": [0.5]}]}, encoding_format="base64").body["data"][0]["embedding"] == packed(
        [0.5]
    )
    assert read({"data": [{"embedding": packed([0.5])}]}).body["data"][0]["embedding"] == [0.5]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "x"}, {"data": [5]}, {"data": []}, b"[]", b"x"])
def test_what_is_no_list_is_malformed(body):
    """A 200 without a list of embeddings is no answer."""
    with pytest.raises(MalformedAnswer):
        read(body)


def test_nan_is_malformed():
    """NaN, which is no JSON and no number, never reaches a caller."""
    with pytest.raises(MalformedAnswer):
        read(b'{"data": [{"embedding": [NaN, 1.0]}]}')


@given(st.dictionaries(st.sampled_from(["data", "embeddings", "usage", "usageMetadata", "model"]), anything), anything)
def test_no_answer_makes_it_fail_otherwise(body, embedding):
    """Whatever a vendor sends is an answer or a ProviderError."""
    for dialect, holder in (("openai", "data"), ("google-gemini", "embeddings")):
        for answer in (body, {**body, holder: [{"embedding": embedding, "values": embedding, "index": embedding}]}):
            with contextlib.suppress(ProviderError):
                read(answer, dialect=dialect, dimensions=2)


def test_gemini_request():
    """Each input is a request of the batch, with its options and what else the caller sent; labels are left out."""
    call = provider("google-gemini", "https://g.test/v1beta/models/old:generateContent?alt=sse&x=1").embed(
        "gemini-embedding-001", {"input": ["a", "b"], "dimensions": 8, "user": "u", "taskType": "RETRIEVAL_QUERY"}
    )
    assert call.url == "https://g.test/v1beta/models/gemini-embedding-001:batchEmbedContents?x=1"
    common = {"model": "models/gemini-embedding-001", "outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"}
    assert json.loads(call.body) == {"requests": [{**common, "content": {"parts": [{"text": text}]}} for text in "ab"]}


@pytest.mark.parametrize("text", [[1, 2], [[1], [2]], ["x"] * 101])
def test_what_gemini_cannot_take(text):
    """Tokens and more inputs than a batch holds go to another candidate, and the error names the field."""
    with pytest.raises(NotExpressible) as caught:
        sent("google-gemini", text=text)
    assert caught.value.param == "input"


def test_gemini_counts_or_is_estimated():
    """Its count is taken where it gives one."""
    answer = {"embeddings": [{"values": [3.0, 4.0]}]}
    assert read(answer, "x" * 40, "google-gemini").usage.prompt_tokens == 11
    counted = {**answer, "usageMetadata": {"promptTokenCount": 5}}
    assert read(counted, "x" * 40, "google-gemini").usage.prompt_tokens == 5
    assert read(answer, dialect="google-gemini").body["data"][0]["embedding"] == [3.0, 4.0]
    assert read(answer, dialect="google-gemini", dimensions=2).body["data"][0]["embedding"] == [0.6, 0.8]


def test_an_input_too_long_for_openai():
    """The vendor's context error is the one another candidate may mend."""
    error = {"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}
    with pytest.raises(ContextLengthExceeded):
        read(error, status=400)
