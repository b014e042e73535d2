"""OpenAI's own client, unmodified, against the router's embeddings."""

import asyncio
import math

import openai
import pytest

from tests.support.embedding_stack import ALIAS, GEMINI, OPENAI, OPENROUTER, embedding_stack
from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The product with accounts that embed."""
    stack = embedding_stack(tmp_path_factory.mktemp("sdk") / "config")
    yield stack
    stack.stop()


@pytest.fixture
def client(running):
    running.sandbox.reset()
    with openai.OpenAI(base_url=f"{running.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", [ALIAS, OPENAI, OPENROUTER, GEMINI])
def test_default_and_float_are_the_same_vectors(client, model):
    """The client asks for base64 by itself and decodes it; asked for numbers it gets the same ones."""
    packed = client.embeddings.create(model=model, input=["one", "two"])
    plain = client.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1]
    for decoded, numbers in zip(packed.data, plain.data, strict=True):
        assert decoded.embedding == pytest.approx(numbers.embedding, abs=1e-6)
    assert packed.usage.prompt_tokens == packed.usage.total_tokens == 2
    assert packed.object == "list"


def test_dimensions_and_tokens(client):
    """Dimensions and tokens are taken, as keyword arguments of the client."""
    answer = client.embeddings.create(model=ALIAS, input=[[1, 2], [3]], dimensions=32, user="u")
    assert [len(item.embedding) for item in answer.data] == [32, 32]
    assert math.hypot(*answer.data[0].embedding) == pytest.approx(1, abs=1e-4)


def test_errors_are_the_clients_own(client):
    """What is wrong with a request is the exception its users catch, with the field."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model=ALIAS, input=[])
    assert refused.value.param == "input"
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-9", input="x")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="ak-wrong").embeddings.create(model=ALIAS, input="x")


def test_the_asynchronous_client(running):
    """The asynchronous client is served as well."""

    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{running.api.url}/v1", api_key=KEY) as made:
            return await made.embeddings.create(model=ALIAS, input="x")

    assert len(asyncio.run(ask()).data) == 1
